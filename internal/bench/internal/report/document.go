package report

import (
	"fmt"
	"os"
	"strings"
)

// The generated part of the document stands between these lines.
const (
	begin = "<!-- made by `make bench`, do not edit: begin -->\n"
	end   = "<!-- made by `make bench`: end -->\n"
)

// Insert replaces the generated part of the document at path.
func (r *Report) Insert(path string) error {
	doc, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, rest, ok := strings.Cut(string(doc), begin)
	_, tail, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("%s: the lines %q and %q are missing", path, begin, end)
	}
	return os.WriteFile(path, []byte(head+begin+"\n"+r.Markdown()+end+tail), 0o644)
}
