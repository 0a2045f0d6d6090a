package openid_test

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/openid"
)

// A login begins. Until the provider answers, the visitor gets 503.
func ExampleProvider_Begin() {
	provider, err := openid.New(openid.Config{Issuer: "https://id.example.com", ClientID: "wiki"}, slog.Default(), time.Now)
	if err != nil {
		fmt.Println(err)
		return
	}
	// The program runs provider.Run(ctx) in the background.

	address, login, err := provider.Begin("https://wiki.example.com/callback")
	if err != nil {
		fmt.Println("503:", err)
		return
	}
	// Seal the login into a cookie, and redirect the browser to the address.
	fmt.Println(address, login.State != "", auth.ErrUnavailable)
	// Output: 503: no answer since the start
}
