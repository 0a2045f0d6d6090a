package main

import (
	"context"
	"net/netip"
)

type ipRep struct {
	IP netip.Addr `spoe:"ip,required"`
}

type ipVerdict struct {
	Score int `spoe:"ip_score,sess"`
}

// rate takes the score from the address, so it must be decoded.
func rate(_ context.Context, in ipRep) (ipVerdict, error) {
	return ipVerdict{Score: lastByte(in.IP)}, nil
}

func lastByte(ip netip.Addr) int {
	if !ip.Is4() {
		return -1
	}
	b := ip.As4()
	return int(b[3])
}

type request struct {
	Method      string     `spoe:"method"`
	Path        string     `spoe:"path"`
	Host        string     `spoe:"host"`
	UserAgent   string     `spoe:"ua"`
	Traceparent string     `spoe:"traceparent"`
	Src         netip.Addr `spoe:"src,required"`
	Port        int        `spoe:"port"`
	Length      int64      `spoe:"length"`
	TLS         bool       `spoe:"ssl"`
}

type requestVerdict struct {
	Score  int    `spoe:"score"`
	Action string `spoe:"action"`
}

func check(_ context.Context, in request) (requestVerdict, error) {
	v := requestVerdict{Score: lastByte(in.Src), Action: "deny"}
	if in.TLS && in.Method == "GET" && in.Path != "" && in.Host != "" && in.UserAgent != "" &&
		len(in.Traceparent) == 55 && in.Port > 1023 && in.Length > 0 {
		v.Action = "allow"
	}
	return v, nil
}

type echoIn struct {
	Data string `spoe:"data,required"`
}

type echoOut struct {
	Data string `spoe:"echo"`
}

func echo(_ context.Context, in echoIn) (echoOut, error) { return echoOut(in), nil }
