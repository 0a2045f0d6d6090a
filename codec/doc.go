// Package codec encodes and decodes SPOP: varints, typed values, arguments, messages,
// actions, frames, the hello and disconnect payloads (SPOE.txt §3.1 to §3.5). It also
// binds arguments and variables to Go structs.
//
// It needs only the standard library and starts no goroutine. Its only locks are those of
// its caches of compiled structs. Functions named Append… append to a slice and return it.
// Readers check all bytes: bad bytes from the peer lead to an *Error with the status code
// for the DISCONNECT, never to a panic, and no count or length that was only claimed leads
// to an allocation.
//
// # Ownership
//
// A decoded value refers to its slice, and is valid until that slice is used again (in
// an agent: until the handler returns). Strings, and the fields of a bound struct, are
// copies and safe to keep. Value.Clone copies a Value.
//
// # Arguments bound to a struct
//
// A field with a tag `spoe:"name,option,…"` takes the argument of that name.
// [Decoder.Decode] overwrites the whole struct; it copies all strings and []byte that it
// binds into one allocation. The options:
//
//	required      an error if the argument is missing, NULL or cannot be read at all
//	strict        an error if the argument cannot be read, or only in part
//	default=10ms  the field's value without an argument that can be read;
//	              default='a,b' has a comma
//	json          the argument is JSON; the field may have any type
//	secret        errors and telemetry must not show the value
//	pos=0         also takes the message's first argument if that has no name:
//	              HAProxy's `args src` sends one. `spoe:",pos=0"` takes only it
//
// Without required and default, a missing or NULL argument leaves zero, or nil
// in a pointer. A field takes:
//
//	bool                   BOOL
//	any integer type       any integer type, if the value fits
//	float32, float64       STRING, BINARY with a finite decimal number; any integer
//	string, []byte         STRING, BINARY
//	netip.Addr, net.IP     IPV4, IPV6 (IPv4-mapped stays IPv6); text without a zone
//	netip.AddrPort         text without a zone
//	time.Duration          an integer in milliseconds; text such as 1m30s
//	time.Time              an integer in seconds since 1970; text as in RFC 3339
//	http.Header            BINARY from req.hdrs_bin, STRING from req.hdrs
//	HeaderBlock            BINARY from req.hdrs_bin, with order and case
//	url.Values             STRING, BINARY with a query string
//	any, Value             everything; it holds a copy
//	Unmarshaler            everything: it sees the Value
//	TextUnmarshaler        everything, as text
//	a pointer to these     the same; it is nil without an argument that can be read
//	a slice of these       the same; each argument of the name is an element
//
// # Values that cannot be read
//
// A visitor chooses the bytes of most arguments, but must not be able to make a message
// fail. So a struct without strict and required is always bound. A field whose argument
// cannot be read gets the part that can be read, such as all headers before a block breaks
// off; otherwise its default or zero. A field of type [Problems], without a tag, lists each
// argument that strict would have refused. Errors quote names, types, positions and
// lengths, and never a value ([BindError]).
//
// # Nesting
//
// Named types of these kinds bind like them. A field without a tag is ignored, unless
// it is an embedded struct or an exported nested one, whose fields count as fields of
// the outer struct. A tag on a nested struct, or on a pointer to one, puts a prefix in
// front of its fields' names: `spoe:"tls"` makes a field "sni" in it take "tls.sni". A
// pointer to a struct is nil if the message has no argument for its fields; required
// and default apply in it only if there is one. A field with `spoe:"-"` is ignored.
//
// A second tag, `fetch:"…"`, has the sample expression for the argument, such as src or
// req.hdr(host), which follows `args name=` in HAProxy's configuration. Package haproxy
// writes HAProxy's configuration from it; this package does not use it.
//
// # Variables from a struct
//
// A field with a tag `spoe:"name,scope,option,…"` sets the variable of that
// name, in the order in which the fields are written ([Encoder.Append]). The
// scope is proc, sess, txn (the default), req or res. The options:
//
//	omitempty  no action for false, 0, an empty string, slice or map, or a zero
//	           value
//	unset      an unset-var if a pointer, interface, address or Value has no
//	           value; without this option there is no action
//	json       the variable is a STRING with the field as JSON
//	secret     telemetry must not show the value
//
// A bool goes out as BOOL; int and int64 as INT64, int8 to int32 as INT32, uint and uint64
// as UINT64, uint8 to uint32 as UINT32; a float as STRING, in its shortest decimal form, as
// SPOP has none; a string as STRING, []byte as BINARY; netip.Addr as IPV4 or IPV6 as it is,
// net.IP as IPV4 if it has that form; time.Duration as INT64 in whole milliseconds;
// http.Header as BINARY in the form of req.hdrs_bin; url.Values as STRING; a Marshaler as
// the Value that it returns; a TextMarshaler, such as time.Time, as STRING. Nested structs
// work as above; a prefix is part of the variable's name.
package codec
