package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"time"
)

func follow() {
	for {
		if listen() != nil {
			time.Sleep(time.Second)
		}
	}
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if words[0] == "listen" {
			if err := listen(); err != nil {
				fmt.Println("refused", err)
			} else {
				fmt.Println("heard")
			}
		} else if words[0] == "follow" {
			go follow()
			fmt.Println("follows")
		} else if read, err := verify(words[1]); err != nil {
			fmt.Println("refused", err)
		} else {
			fmt.Println("sub", read.Subject)
		}
	}
}
