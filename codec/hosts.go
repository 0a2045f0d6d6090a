package codec

import (
	"fmt"
	"strings"
)

// Hosts is a table of hosts, as for sites with rules of their own. The zero Hosts is empty.
type Hosts[T any] struct{ byName map[string]T }

// Add sets the value of a host, example.com, or of all hosts below it, *.example.com. It
// returns an error if name is not in the form of [Host], has a port, or is in the table.
func (h *Hosts[T]) Add(name string, value T) error {
	plain := strings.TrimPrefix(name, "*.")
	if host, err := ParseHost(plain); err != nil || host.Name != plain {
		return fmt.Errorf("%q is no host name in lower case without a port", name)
	}
	if _, ok := h.byName[name]; ok {
		return fmt.Errorf("%q is there twice: remove one of them", name)
	}
	if h.byName == nil {
		h.byName = make(map[string]T)
	}
	h.byName[name] = value
	return nil
}

// Find returns the value of a host: of its name, or else of the longest of the names above
// it that was added with "*.".
func (h *Hosts[T]) Find(host Host) (value T, ok bool) {
	name := host.Name
	value, ok = h.byName[name]
	for below := true; !ok && below; {
		_, name, below = strings.Cut(name, ".")
		value, ok = h.byName["*."+name]
	}
	return value, ok
}
