// Package msgctx has the contexts of an agent's handlers. They allocate almost nothing, need
// no timer, and may be kept: a Source hands out one byte for each message.
package msgctx
