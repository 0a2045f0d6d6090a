// Package iplist reads lists of IP addresses as they are published.
//
// A list is text, one address or CIDR a line, IPv4 and IPv6 mixed. The additions of
// publishers are understood:
//
//   - comments after '#' or ';', on a line of their own or behind an entry, and
//     blank lines (FireHOL netsets, Spamhaus DROP as text),
//   - JSON lines with a "cidr" key and a trailing metadata object (Spamhaus
//     DROP as JSON),
//   - ExitNode, Published, LastStatus and ExitAddress lines (Tor's exit lists;
//     its bulk list is plain),
//   - CR LF line ends and a UTF-8 byte order mark.
//
// Every entry becomes a masked [net/netip.Prefix]: a CIDR with host bits set is
// taken for the network that it lies in, and an IPv4-mapped IPv6 address for
// the IPv4 address that it stands for.
//
// A line that is none of these does not take the list down: it is counted, and
// the first of them are kept with file, line and reason. A file that is no IP
// list at all (empty, binary, compressed, a saved error page, more garbage than
// addresses) is refused as a whole with an [*Error] that names the mistake and
// the remedy.
package iplist
