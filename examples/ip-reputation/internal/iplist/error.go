package iplist

// Error refuses a file as a whole: nothing of it should be used.
type Error struct {
	File   string
	Reason string // what is wrong with it
	Advice string // what to do about it
}

func (e *Error) Error() string {
	return e.File + ": " + e.Reason + ": " + e.Advice
}
