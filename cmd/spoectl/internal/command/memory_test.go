//go:build !race

package command_test

// maxPeak bounds the memory of a tap whose output is not read, in KiB.
const maxPeak = 150 << 10
