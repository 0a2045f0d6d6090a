//go:build !linux

package load

import (
	"context"
	"fmt"
	"runtime"
)

// Pipeline needs Linux.
func Pipeline(context.Context, Config) (*Result, error) {
	return nil, fmt.Errorf("the load generator needs Linux, this is %s", runtime.GOOS)
}
