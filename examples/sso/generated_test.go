package main_test

import (
	"testing"
	"time"

	main "github.com/spoke-go/spoke/examples/sso"
	"github.com/spoke-go/spoke/service/servicetest"
)

// TestFiles: the agent itself wrote its part of HAProxy's configuration.
func TestFiles(t *testing.T) { servicetest.CheckFiles(t, main.Agent(time.Now)) }
