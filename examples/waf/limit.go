package main

import (
	"context"

	"github.com/spoke-go/spoke/middleware"
	"github.com/spoke-go/spoke/spoe"
)

// large is the size of a message, in bytes, from which on limitLarge counts it.
const large = 16 << 10

// limitLarge bounds how many large messages are judged at once, so that they leave
// places for the others: the rules' time grows with the size.
func limitLarge(n int, cfg middleware.LimitConfig) spoe.Middleware {
	limit := middleware.Limit(n, cfg)
	return func(next spoe.Handler) spoe.Handler {
		limited := limit(next)
		return spoe.HandlerFunc(func(ctx context.Context, msg *spoe.Message, acts *spoe.Actions) error {
			if len(msg.Args.Raw().Raw()) >= large {
				return limited.ServeSPOE(ctx, msg, acts)
			}
			return next.ServeSPOE(ctx, msg, acts)
		})
	}
}
