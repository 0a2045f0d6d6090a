package safetext

import "fmt"

// Error returns the text of err as Clip does. A handler's error can be a nil
// pointer in an interface, or have an Error method that panics; Error then
// names its type instead, so a caller never panics by asking.
func Error(err error, limit int) (text string) {
	if err == nil {
		return Clip("no error", limit)
	}
	defer func() {
		if recover() != nil {
			text = Clip(fmt.Sprintf("error of type %T, whose Error method panics", err), limit)
		}
	}()
	return Clip(err.Error(), limit)
}
