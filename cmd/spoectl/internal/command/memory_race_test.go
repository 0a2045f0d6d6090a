//go:build race

package command_test

// maxPeak is wider here: the race detector takes several times the memory.
const maxPeak = 600 << 10
