// Package golden reads and writes golden frames: the bytes that a real HAProxy and
// Spoke exchanged, with their meaning.
//
// A file holds one scenario against one version of HAProxy. A line that begins with # says
// how it was captured; a frame is one line of hex, its length included. In front of each
// frame are lines with #> that describe it. Package capture writes them from the
// configuration, the request and the agent's handler, never by decoding:
//
//	#> NOTIFY fin stream-id=0 frame-id=1
//	#>   message "check"
//	#>     "ip" IPV4 127.0.0.1
//	#>     "" STRING "0123456789"*230
//	#>     "headers" STRING "host: example.com\r\n\r\n"
//	#>       header "Host" "example.com"
//	#> ACK fin stream-id=0 frame-id=1
//	#>   set-var txn "score" INT64 -1
//	#>   unset-var sess "list"
//	#> HAPROXY-DISCONNECT fin stream-id=0 frame-id=0
//	#>   "status-code" UINT32 2
//	#>   "message" STRING "a timeout occurred"
//
// `header` lines say what the argument above them is as an http.Header. Of a
// payload in fragments, the last frame has the messages, the others none. The
// frames of one connection come in the order in which they were sent; a hello
// begins the next connection.
//
// Package internal/capture makes such files; codec's tests read them.
package golden
