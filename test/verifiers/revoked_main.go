package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

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
		} else if read, err := verify(words[1]); err != nil {
			fmt.Println("refused", err)
		} else {
			fmt.Println("sub", read.Subject)
		}
	}
}
