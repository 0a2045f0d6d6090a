//go:build !unix

package haproxytest

import "os"

// There is no HAProxy for these systems; the rest of the package is for them.
var softStop = os.Kill
