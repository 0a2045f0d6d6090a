package bearer_test

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/bearer"
	"github.com/spoke-go/spoke/auth/openid"
	"github.com/spoke-go/spoke/router"
)

// An agent that tells HAProxy the user of a token, for a log line or a limit by user.
func Example() {
	provider, err := openid.New(openid.Config{Issuer: "https://id.example.com"}, slog.Default(), time.Now)
	if err != nil {
		fmt.Println(err)
		return
	}
	tokens := bearer.New(provider, bearer.Config{Audiences: []string{"https://api.example.com"}}, slog.Default(), time.Now)
	// The program runs provider.Run(ctx) in the background.

	type Question struct {
		Authorization string `spoe:"authorization,secret" fetch:"req.fhdr(authorization)"`
	}
	type Answer struct {
		User string `spoe:"user,omitempty"`
	}
	whois := func(ctx context.Context, q Question) (Answer, error) {
		token, ok := auth.Bearer(q.Authorization)
		if !ok {
			return Answer{}, nil
		}
		user, err := tokens.Verify(ctx, token)
		if err != nil {
			return Answer{}, err // no variable: HAProxy answers 401
		}
		return Answer{User: user.Name}, nil
	}
	router.New().Handle("whois", whois)

	a, err := whois(context.Background(), Question{Authorization: "Bearer made.up.token"})
	fmt.Printf("%q %v\n", a.User, err)
	// Output: "" bad token
}
