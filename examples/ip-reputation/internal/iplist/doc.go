// Package iplist reads published lists of IP addresses.
//
// A list is text, one address or CIDR a line, IPv4 and IPv6 mixed. It understands the
// additions of publishers:
//
//   - comments after '#' or ';', on a separate line or after an entry, and
//     blank lines (FireHOL netsets, Spamhaus DROP as text),
//   - JSON lines with a "cidr" key and a trailing metadata object (Spamhaus
//     DROP as JSON),
//   - ExitNode, Published, LastStatus and ExitAddress lines (Tor's exit lists;
//     its bulk list is plain),
//   - CR LF line ends and a UTF-8 byte order mark.
//
// Every entry becomes a masked [net/netip.Prefix]: a CIDR with host bits set means its
// network, and an IPv4-mapped IPv6 address means the IPv4 address.
//
// Any other line does not make the list fail: Parse counts it, and keeps the first such
// lines with file, line and reason. Parse refuses a file that is not an IP list at all
// (empty, binary, compressed, a saved error page, more garbage than addresses) with an
// [*Error] that names the mistake and the remedy.
package iplist
