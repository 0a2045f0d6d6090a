// Package pcap reads the TCP streams of a packet capture, as tcpdump (pcap) and
// Wireshark (pcapng) write them, over Ethernet, Linux cooked, raw IP and
// loopback links. It reads what is complete: fragmented IP packets are passed
// over, and a stream ends where a segment is missing.
package pcap
