package router

import (
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/codec"
)

// Route describes a registered message.
type Route struct {
	// Message is the name that HAProxy's spoe-message section has.
	Message string
	// Args are the arguments that the handler's struct is bound to; nil for a
	// raw handler.
	Args []codec.FieldInfo
	// Vars are the variables that the handler's result sets; nil if it has none.
	Vars []codec.VarInfo
	// Site is where it was registered, as file:line.
	Site string
}

// String returns the route for people, on one line, with Go types for the
// arguments and SPOP's for the variables:
//
//	ip-rep(ip netip.Addr required, host string) -> sess.ip_score INT64
func (r Route) String() string {
	var s strings.Builder
	s.WriteString(r.Message)
	if r.Args != nil {
		s.WriteByte('(')
		for i, a := range r.Args {
			if i > 0 {
				s.WriteString(", ")
			}
			writeArg(&s, a)
		}
		s.WriteByte(')')
	}
	for i, v := range r.Vars {
		s.WriteString([]string{" -> ", ", "}[min(i, 1)])
		s.WriteString(v.Scope.String() + "." + v.Name)
		for j, t := range v.Types {
			s.WriteString([]string{" ", "|"}[min(j, 1)] + t.String())
		}
	}
	return s.String()
}

func writeArg(s *strings.Builder, a codec.FieldInfo) {
	s.WriteString(a.Name)
	if a.Pos >= 0 {
		s.WriteString("#" + strconv.Itoa(a.Pos))
	}
	s.WriteString(" " + a.Type.String())
	if a.Required {
		s.WriteString(" required")
	}
	if a.HasDefault {
		s.WriteString(" =" + a.Default)
	}
	if a.Secret {
		s.WriteString(" secret")
	}
}
