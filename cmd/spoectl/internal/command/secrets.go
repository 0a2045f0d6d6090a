package command

import (
	"github.com/spf13/cobra"

	"github.com/spoke-go/spoke/cmd/spoectl/internal/hide"
)

// secrets says which values are not shown.
type secrets struct {
	show   bool
	routes string
}

const secretsHelp = `Secrets are written as asterisks: the headers Cookie, Set-Cookie, Authorization,
Proxy-Authorization, X-Api-Key, X-Auth-Token and X-Csrf-Token in header blocks,
strings and binaries that are named after one of them, and with --routes values
that the agent's structs tag as secret. --show-secrets shows them.`

func (s *secrets) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&s.show, "show-secrets", false, "do not hide secrets")
	f.StringVar(&s.routes, "routes", "", "hide the fields that are tagged secret in this `file`, which -print-routes wrote")
}

// rules returns the rules, nil to hide nothing.
func (s *secrets) rules() (*hide.Rules, error) {
	if s.show {
		return nil, nil
	}
	if s.routes == "" {
		return &hide.Rules{}, nil
	}
	a, err := readRoutes(s.routes, nil)
	if err != nil {
		return nil, err
	}
	r := hide.Of(a)
	return &r, nil
}

// hider returns a Hider with these rules, or nil.
func hider(r *hide.Rules) *hide.Hider {
	if r == nil {
		return nil
	}
	return &hide.Hider{Rules: *r}
}
