// Package recording writes and reads the recordings of `spoectl tap --record`: the frames
// between HAProxy and an agent, for tests and benchmarks to send again.
//
// # Format
//
// A recording is text. Its first line is "# spoectl recording 1"; other lines
// that begin with # are comments, and empty lines mean nothing. Each other line
// is one frame: four fields, separated by one space.
//
//	0.000000 1 > 0000007b0100000001…
//	0.000412 1 < 000000416500000001…
//
// They are the time since the recording began in seconds, when the frame's last
// byte was read; the connection, counted from 1; who sent it, > for HAProxy and
// < for the agent; and the frame in hex, its length included. The frames of a
// connection stand in the order in which they were seen: a NOTIFY before its ACK.
// Bytes that are no whole frame are not recorded.
package recording
