package haproxy_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain runs more tests at once than there are processors: most of them wait for
// HAProxy's timeouts.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
