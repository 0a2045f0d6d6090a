package router_test

import (
	"context"
	"net/http"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/codec"
	"github.com/spoke-go/spoke/router"
	"github.com/spoke-go/spoke/spoe"
)

// here returns file:line of its caller, plus lines.
func here(lines int) string {
	_, file, line, _ := runtime.Caller(1)
	return file + ":" + strconv.Itoa(line+lines)
}

func TestRoutes(t *testing.T) {
	r := router.New()
	r.Handle("raw", rawJudge)
	r.With().Handle("any", typedJudge)
	r.Handle("func", router.Func(pointerJudge))
	r.Handle("acts", router.Acts(actsJudge))
	site := here(1)
	r.Handle("sink", func(context.Context, struct {
		First string      `spoe:",pos=0"`
		Port  *uint16     `spoe:"port,default=80"`
		Token string      `spoe:"token,secret,pos=2"`
		H     http.Header `spoe:"headers"`
	}) error {
		return nil
	})
	r.Handle("none", func(context.Context, struct{}) error { return nil })

	routes := r.Routes()
	var lines []string
	for _, route := range routes {
		lines = append(lines, route.String())
	}
	const args, vars = "(ip netip.Addr required, host string)", " -> sess.score INT64, sess.list STRING"
	assert.Equal(t, []string{
		"raw",
		"any" + args + vars,
		"func" + args + vars,
		"acts" + args,
		"sink(#0 string, port *uint16 =80, token#2 string secret, headers http.Header)",
		"none()",
	}, lines)
	assert.Equal(t, site, routes[4].Site)
	assert.Nil(t, routes[0].Args)
	assert.Equal(t, "ip", routes[1].Args[0].Name)
	assert.Equal(t, reflect.TypeFor[string](), routes[1].Args[1].Type)
	assert.Equal(t, []codec.VarInfo{
		{Name: "score", Scope: spoe.VarScopeSession, Field: "Score", Type: reflect.TypeFor[int](), Types: []codec.Type{codec.TypeInt64}},
		{Name: "list", Scope: spoe.VarScopeSession, Field: "List", Type: reflect.TypeFor[string](), Types: []codec.Type{codec.TypeString}, OmitEmpty: true},
	}, routes[2].Vars)

	routes[1].Args[0].Name = "changed"
	assert.Equal(t, "ip", r.Routes()[1].Args[0].Name, "what Routes returns is the caller's")
	assert.Equal(t, "routes_test.go", filepath.Base(routes[0].Site[:len(routes[0].Site)-len(":00")]))
}

// TestVarOfManyTypes: a variable whose type is known only when it is set.
func TestVarOfManyTypes(t *testing.T) {
	r := router.New()
	r.Handle("m", router.Func(func(context.Context, struct{}) (out struct {
		IP net4 `spoe:"ip,req"`
	}, err error) {
		return out, nil
	}))
	assert.Equal(t, "m() -> req.ip BOOL|INT32|UINT32|INT64|UINT64|IPV4|IPV6|STRING|BINARY", r.Routes()[0].String())
}

type net4 struct{}

func (net4) MarshalSPOE() (codec.Value, error) { return codec.Value{}, nil }
