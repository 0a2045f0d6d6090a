package session_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/auth/session"
	"github.com/spoke-go/spoke/seal"
)

// A login by any means becomes a cookie, and the cookie of a request the user.
func Example() {
	keys, err := seal.New([]string{"the output of openssl rand -base64 32"})
	if err != nil {
		fmt.Println(err)
		return
	}
	sessions := session.Cookie{Name: "__Host-shop", Keys: keys, Config: session.Defaults()}

	s := session.New("form", time.Now())
	s.Take(&openid.Tokens{User: &auth.User{Subject: "17", Name: "alice"}}, time.Now(), sessions.Refresh)
	headers, err := sessions.Set(s, "shop.example")
	if err != nil {
		fmt.Println(err)
		return
	}

	cookie, _, _ := strings.Cut(headers[0], ";") // as the browser sends it back
	s = sessions.Read(cookie, "shop.example", time.Now())
	state, _ := s.State(time.Now(), sessions.Config)
	fmt.Println(s.Name, state == session.Valid)
	// Output: alice true
}
