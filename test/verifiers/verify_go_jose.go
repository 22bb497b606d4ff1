package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	jose "gopkg.in/square/go-jose.v2"
	"gopkg.in/square/go-jose.v2/jwt"
)

type asked struct {
	Alg, Issuer, Audience, Keys string
	Tokens                      []string
}

func main() {
	var ask asked
	must(json.NewDecoder(os.Stdin).Decode(&ask))
	answer, err := http.Get(ask.Keys)
	must(err)
	var keys jose.JSONWebKeySet
	must(json.NewDecoder(answer.Body).Decode(&keys))

	for _, token := range ask.Tokens {
		subject, err := verify(token, ask, keys)
		if err != nil {
			fmt.Println("refused", err)
		} else {
			fmt.Println("sub", subject)
		}
	}
}

func verify(token string, ask asked, keys jose.JSONWebKeySet) (string, error) {
	parsed, err := jwt.ParseSigned(token)
	if err != nil {
		return "", err
	}
	// Version 2 has no list of algorithms.
	if parsed.Headers[0].Algorithm != ask.Alg {
		return "", errors.New("algorithm")
	}
	var claims jwt.Claims
	if err := parsed.Claims(&keys, &claims); err != nil {
		return "", err
	}
	expected := jwt.Expected{Issuer: ask.Issuer, Audience: jwt.Audience{ask.Audience}, Time: time.Now()}
	return claims.Subject, claims.Validate(expected)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
