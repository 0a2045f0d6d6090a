package main_test

import (
	"testing"

	"github.com/spoke-go/spoke/service/servicetest"
)

func TestMain(m *testing.M) { servicetest.Main(m, "SSO_") }
