package show

import (
	"fmt"
	"strconv"
	"strings"
)

// Text returns the frame in lines; strings are shortened to limit bytes.
func (f Frame) Text(limit int) string {
	var b strings.Builder
	b.WriteString(f.Type)
	if f.Type != "malformed frame" {
		fmt.Fprintf(&b, "  stream %d frame %d", f.StreamID, f.FrameID)
	}
	if f.Flags != "" {
		b.WriteString("  " + f.Flags)
	}
	fmt.Fprintf(&b, "  %d bytes", f.Length)
	if f.Note != "" {
		b.WriteString("  (" + f.Note + ")")
	}
	b.WriteByte('\n')
	for _, p := range f.Fields {
		b.WriteString("    " + p.text(limit))
	}
	for _, m := range f.Messages {
		b.WriteString("    " + Name(m.Name) + "\n")
		for _, a := range m.Args {
			b.WriteString("        " + a.text(limit))
		}
	}
	for _, a := range f.Actions {
		b.WriteString("    " + a.Text(limit) + "\n")
	}
	if f.Malformed != "" {
		b.WriteString("    ! malformed: " + f.Malformed + "\n")
	}
	return b.String()
}

func (f Field) text(limit int) string {
	if f.Name == "" {
		return Value(f.value, limit) + "\n"
	}
	return Name(f.Name) + " = " + Value(f.value, limit) + "\n"
}

// Text returns the action in one line.
func (a Action) Text(limit int) string {
	if a.Unset {
		return "unset " + Name(a.Name)
	}
	return Name(a.Name) + " = " + Value(a.value, limit)
}

// Name returns a name, quoted where it holds what could be taken for something
// else, or could play tricks with a terminal.
func Name(s string) string {
	for _, r := range s {
		if r <= ' ' || r == '"' || r == '=' || r == 0x7f || r == '\uFFFD' || !strconv.IsPrint(r) {
			return quote(s)
		}
	}
	if s == "" || quote(s) != `"`+s+`"` {
		return quote(s)
	}
	return s
}
