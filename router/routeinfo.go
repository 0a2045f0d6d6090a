package router

import (
	"strconv"
	"strings"
	"time"

	"github.com/spoke-go/spoke/codec"
)

// RouteInfo describes a registered message.
type RouteInfo struct {
	// Message is the name of HAProxy's spoe-message section.
	Message string
	// Args are the arguments of the handler's struct; nil for a raw handler.
	Args []codec.FieldInfo
	// Vars are the variables that the handler's result sets; nil if it has none.
	Vars []codec.VarInfo
	// Raw reports whether the handler reads its arguments and sets its variables
	// itself. Args and Vars then do not list them; Sent and Sets list the declared
	// ones. RawVars reports the same for only the variables.
	Raw, RawVars bool
	// Nilable reports whether the handler's result is a pointer: a nil pointer sets
	// none of Vars.
	Nilable bool
	// Site is the file:line of the registration.
	Site string

	// Engine is the SPOE engine that sends the message, or empty.
	Engine string
	// Event, Condition and Group say when HAProxy sends the message; all are empty if
	// no method of Route did. A message may have both an event and a group: the group's
	// rule then sends it, if the condition holds.
	Event     Event
	Condition string // of the event: "if …" or "unless …"
	Group     string
	// Sent are the arguments that HAProxy sends in addition to Args, those of the
	// branch first.
	Sent []Arg
	// Sets are the variables that the handler sets in addition to Vars.
	Sets []Var
	// Buffer is the minimum of tune.bufsize in bytes, or 0.
	Buffer int
	// Deadline is the maximum time from the message's arrival to its ACK, as its
	// middleware reports it (see [spoe.Bounded]); 0 if no middleware does.
	Deadline time.Duration
}

// String returns the route for people, on one line, with Go types for the
// arguments and SPOP's for the variables:
//
//	ip-rep(ip netip.Addr required, host string) -> sess.ip_score INT64
func (r RouteInfo) String() string {
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
