package router

import (
	"strconv"
	"strings"
	"time"

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
	// Raw tells that the handler reads its arguments and sets its variables by
	// itself, so that Args and Vars are not all of them: they are those of Sent
	// and Sets, if it was said. RawVars is the same of the variables alone.
	Raw, RawVars bool
	// Nilable tells that the handler's result is a pointer: where it is nil, none of
	// Vars is set.
	Nilable bool
	// Site is where it was registered, as file:line.
	Site string

	// Event, Condition and Group are when HAProxy sends the message; all are
	// empty where that was not said.
	Event     Event
	Condition string // behind the event: "if …" or "unless …"
	Group     string
	// Sent are the arguments that HAProxy sends besides Args, those that were
	// declared for the whole Group of routes first.
	Sent []Arg
	// Sets are the variables that the handler sets besides Vars.
	Sets []Var
	// Buffer is the least tune.bufsize in bytes, or 0.
	Buffer int
	// Deadline is how long after the message's arrival it is acknowledged at the
	// latest, as its middleware says (see [spoe.Bounded]); 0 where none says so.
	Deadline time.Duration
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
