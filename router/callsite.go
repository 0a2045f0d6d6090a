package router

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

var packagePath = reflect.TypeFor[Router]().PkgPath()

// callSite returns the file:line outside this package that is calling. A loop
// over a function of package slices puts a frame of that package in between.
func callSite() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		inside := strings.HasPrefix(f.Function, packagePath+".") || strings.HasPrefix(f.Function, "slices.")
		if !inside || !more {
			return f.File + ":" + strconv.Itoa(f.Line)
		}
	}
}

// refuse panics with the call, its site, and the mistake in it.
func refuse(call, format string, args ...any) {
	panic(fmt.Sprintf("router: %s at %s: %s", call, callSite(), fmt.Sprintf(format, args...)))
}
