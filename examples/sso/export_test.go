package main

import (
	"time"

	"github.com/spoke-go/spoke/service"
)

// Agent is the program with a clock.
func Agent(now func() time.Time) service.Agent[Config] { return agent(now) }
