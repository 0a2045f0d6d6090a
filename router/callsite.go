package router

import (
	"fmt"
	"reflect"
	"runtime"
	"strconv"
	"strings"
)

var packagePath = reflect.TypeFor[Router]().PkgPath()

// callSite returns the file:line outside this package that is calling.
func callSite() string {
	var pcs [16]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if !strings.HasPrefix(f.Function, packagePath+".") || !more {
			return f.File + ":" + strconv.Itoa(f.Line)
		}
	}
}

// refuse panics with what was called, where, and what is wrong with it.
func refuse(call, format string, args ...any) {
	panic(fmt.Sprintf("router: %s at %s: %s", call, callSite(), fmt.Sprintf(format, args...)))
}
