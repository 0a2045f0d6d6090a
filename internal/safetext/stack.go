package safetext

import "strings"

// maxStack bounds a stack, in bytes.
const maxStack = 8 << 10

// Stack returns a goroutine's stack as text of several lines: each line is as Clip
// returns it, apart from the tab that it begins with. The result has 8 KiB at most
// and ends with a whole line. The author of a handler can have put anything into the
// stack of an error.
func Stack(stack []byte) string {
	var s strings.Builder
	for line := range strings.Lines(string(stack)) {
		text, isCall := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "\t")
		text = Clip(text, maxStack/8)
		if s.Len()+len(text)+len("\t\n") > maxStack {
			break
		}
		if isCall {
			s.WriteByte('\t')
		}
		s.WriteString(text)
		s.WriteByte('\n')
	}
	return s.String()
}
