// Package sample has a rule that its test holds, and one that it does not.
package sample

func held(n int) bool { return n < 10 }

// Loose has no test here.
func Loose(n int) int { return n + 1 }
