// Package pcap reads the TCP streams of a packet capture, as tcpdump (pcap) and
// Wireshark (pcapng) write them. Library gopacket does the work; this package
// bounds its memory and numbers the connections.
package pcap
