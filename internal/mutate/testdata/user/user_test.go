// Package user has a test of sample's second rule.
package user

import (
	"testing"

	"github.com/spoke-go/spoke/internal/mutate/testdata/sample"
)

func TestLoose(t *testing.T) {
	if sample.Loose(1) != 2 {
		t.Error("2 follows 1")
	}
}
