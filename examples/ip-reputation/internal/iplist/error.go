package iplist

// Error refuses a whole file: use nothing of it.
type Error struct {
	File   string
	Reason string // the problem
	Advice string // the remedy
}

func (e *Error) Error() string {
	return e.File + ": " + e.Reason + ": " + e.Advice
}
