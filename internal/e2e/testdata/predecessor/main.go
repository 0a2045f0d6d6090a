// The predecessor's way to write an agent: only the import path is Spoke's.
package main

import (
	"errors"
	"log"
	"net"

	spoe "github.com/spoke-go/spoke/spoe"
)

// reputationOf knows nothing bad of anybody.
func reputationOf(net.IP) (float64, error) { return 1.0, nil }

func handle(messages *spoe.MessageIterator) ([]spoe.Action, error) {
	var actions []spoe.Action
	for messages.Next() {
		message := messages.Message
		if message.Name != "ip-rep" {
			continue
		}
		for message.Args.Next() {
			if message.Args.Arg.Name != "ip" {
				continue
			}
			ip, ok := message.Args.Arg.Value.(net.IP)
			if !ok {
				return nil, errors.New("ip is not an address")
			}
			reputation, err := reputationOf(ip)
			if err != nil {
				return nil, err
			}
			actions = append(actions, spoe.ActionSetVar{
				Name:  "reputation",
				Scope: spoe.VarScopeSession,
				Value: reputation, // a float64, which SPOP does not have
			})
		}
	}
	return actions, messages.Error()
}

func main() {
	agent := spoe.New(handle)
	if err := agent.ListenAndServe(":9000"); err != nil {
		log.Fatal(err)
	}
}
