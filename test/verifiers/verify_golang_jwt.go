package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/golang-jwt/jwt"
	jose "gopkg.in/square/go-jose.v2"
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

	key := func(token *jwt.Token) (interface{}, error) {
		kid, _ := token.Header["kid"].(string)
		for _, found := range keys.Key(kid) {
			return found.Key, nil
		}
		return nil, errors.New("no key")
	}
	for _, token := range ask.Tokens {
		claims := jwt.MapClaims{}
		_, err := jwt.ParseWithClaims(token, claims, key, jwt.WithValidMethods([]string{ask.Alg}))
		// Version 4 leaves these two to the caller.
		if err == nil && !(claims.VerifyIssuer(ask.Issuer, true) && claims.VerifyAudience(ask.Audience, true)) {
			err = errors.New("issuer or audience")
		}
		if err != nil {
			fmt.Println("refused", err)
		} else {
			fmt.Println("sub", claims["sub"])
		}
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
