package iplist

// Error refuses a file as a whole: nothing of it should be used.
type Error struct {
	File   string
	Reason string // the problem
	Advice string // the remedy
}

func (e *Error) Error() string {
	return e.File + ": " + e.Reason + ": " + e.Advice
}
