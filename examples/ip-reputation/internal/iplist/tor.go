package iplist

// torAddress begins the line of a Tor exit list that holds the address:
//
//	ExitNode 0011BD2485AD45D984EC4159C88FC066E5E3300E
//	Published 2024-01-01 10:05:21
//	LastStatus 2024-01-01 11:00:00
//	ExitAddress 192.0.2.7 2024-01-01 11:04:43
const torAddress = "ExitAddress"

// isTorMetadata reports whether a word begins one of its other lines. The last two
// precede lists from Tor's archive.
func isTorMetadata(word []byte) bool {
	switch string(word) {
	case "ExitNode", "Published", "LastStatus", "@type", "Downloaded":
		return true
	}
	return false
}
