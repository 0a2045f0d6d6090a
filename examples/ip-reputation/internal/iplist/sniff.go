package iplist

import "bytes"

// bom is the UTF-8 byte order mark, which some editors put first.
const bom = "\xef\xbb\xbf"

// kinds are files that people use by mistake for a list, known by their first bytes.
var kinds = []struct{ magic, reason, advice string }{
	{"\x1f\x8b", "is gzip-compressed", "unpack it first (gunzip)"},
	{"PK\x03\x04", "is a zip archive", "unpack it first (unzip)"},
	{"BZh", "is bzip2-compressed", "unpack it first (bunzip2)"},
	{"\xfd7zXZ\x00", "is xz-compressed", "unpack it first (unxz)"},
	{"\x28\xb5\x2f\xfd", "is zstd-compressed", "unpack it first (unzstd)"},
	{"\xff\xfe", "is UTF-16 text", "convert it to UTF-8"},
	{"\xfe\xff", "is UTF-16 text", "convert it to UTF-8"},
}

// sniff refuses files that are recognisably of another kind, by their first bytes.
func sniff(file string, head []byte) error {
	for _, k := range kinds {
		if bytes.HasPrefix(head, []byte(k.magic)) {
			return &Error{File: file, Reason: k.reason, Advice: k.advice}
		}
	}
	text := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head, []byte(bom))))
	if bytes.HasPrefix(text, []byte("<!doctype")) || bytes.HasPrefix(text, []byte("<html")) {
		return &Error{
			File:   file,
			Reason: "is an HTML page",
			Advice: "the download probably saved an error page; fetch the list again",
		}
	}
	return nil
}
