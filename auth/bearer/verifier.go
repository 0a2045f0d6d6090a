package bearer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/spoke-go/spoke/auth"
	"github.com/spoke-go/spoke/auth/internal/cache"
	"github.com/spoke-go/spoke/auth/openid"
)

// The times for which good and bad tokens are remembered, and the number of calls to the
// provider at a time, for new tokens and for tokens that were good before.
const (
	goodTime = time.Minute
	badTime  = 10 * time.Second
	maxCalls = 16
)

// Config are the settings of a Verifier.
type Config struct {
	Audiences  []string `help:"a bearer token must be for one of these; without them bearer tokens are refused"`
	Introspect bool     `help:"ask the provider about bearer tokens that are not JWTs"`
}

// Verifier finds the users of access tokens. Several goroutines may use one.
type Verifier struct {
	config   Config
	provider *openid.Provider
	log      *slog.Logger
	now      func() time.Time
	good     *cache.Cache[known]
	bad      *cache.Cache[struct{}]
	first    chan struct{} // a slot for each call for a new token
	again    chan struct{} // a slot for each call for a token that was good before
	one      singleflight.Group
}

// known is the user of a good token.
type known struct {
	user       *auth.User
	generation int64 // of the provider's keys that verified a JWT
}

// New returns a verifier. now is its clock.
func New(p *openid.Provider, c Config, log *slog.Logger, now func() time.Time) *Verifier {
	return &Verifier{config: c, provider: p, log: log, now: now, good: cache.New[known](size, now), bad: cache.New[struct{}](size, now),
		first: make(chan struct{}, maxCalls), again: make(chan struct{}, maxCalls)}
}

// size bounds the caches; tests make it smaller.
var size = cache.Size

// Verify returns the user of a token, or auth.ErrBadToken or auth.ErrUnavailable. Do not
// change the user, which other calls return, too.
func (v *Verifier) Verify(ctx context.Context, token string) (*auth.User, error) {
	jwt := strings.Count(token, ".") == 2
	k, fresh := v.good.Get(token)
	if fresh && (!jwt || k.generation == v.provider.Generation()) {
		return k.user, nil
	}
	if jwt {
		return v.verify(ctx, token)
	}
	if _, bad := v.bad.Get(token); bad || !v.config.Introspect {
		return nil, auth.ErrBadToken
	}
	places := v.first
	if k.user != nil {
		places = v.again
	}
	done := v.one.DoChan(token, func() (any, error) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
			return v.introspect(context.WithoutCancel(ctx), token)
		default:
			return nil, auth.ErrUnavailable
		}
	})
	select {
	case r := <-done:
		user, _ := r.Val.(*auth.User)
		return user, r.Err
	case <-ctx.Done():
		return nil, auth.ErrUnavailable
	}
}

// verify checks a JWT.
func (v *Verifier) verify(ctx context.Context, token string) (*auth.User, error) {
	generation := v.provider.Generation()
	claims, err := v.provider.Verify(ctx, token)
	if err == nil && (claims["at_hash"] != nil || claims["events"] != nil) {
		err = errors.New("the token is an ID token or a logout token, not an access token")
	}
	if v.provider.Generation() != generation {
		generation = -1 // new keys came meanwhile: the next request verifies it again
	}
	return v.take(ctx, token, claims, generation, err)
}

// introspect asks the provider about a token.
func (v *Verifier) introspect(ctx context.Context, token string) (*auth.User, error) {
	claims, err := v.provider.Introspect(ctx, token)
	if err != nil {
		v.log.WarnContext(ctx, "the provider does not judge a bearer token", "error", err)
		return nil, auth.ErrUnavailable
	}
	user, err := v.take(ctx, token, claims, 0, nil)
	if err != nil {
		v.bad.Put(token, struct{}{}, v.now().Add(badTime))
	}
	return user, err
}

// take returns the user of a token's claims, and remembers it for a while.
func (v *Verifier) take(ctx context.Context, token string, claims openid.Claims, generation int64, err error) (*auth.User, error) {
	user := v.provider.User(claims)
	if user.Name == "" { // a machine's token may have no name
		user.Name = user.Subject
	}
	until := v.now().Add(goodTime)
	if exp, ok := claims["exp"].(float64); ok {
		if end := time.Unix(int64(exp), 0).Add(openid.Leeway); end.Before(until) {
			until = end
		}
	}
	audiences := claims.Texts("aud")
	switch {
	case err != nil:
	case !slices.ContainsFunc(audiences, func(a string) bool { return slices.Contains(v.config.Audiences, a) }):
		err = fmt.Errorf("the token is for %q", audiences)
	case user.Name == "":
		err = errors.New("the token names no user")
	case !until.After(v.now()):
		err = errors.New("the token has expired")
	default:
		v.good.Put(token, known{&user, generation}, until)
		return &user, nil
	}
	v.log.DebugContext(ctx, "a bearer token is refused", "error", err)
	return nil, auth.ErrBadToken
}
