package iplist

import (
	"encoding/json"
	"errors"
	"net/netip"
)

var (
	errJSON   = errors.New("broken JSON")
	errNoCIDR = errors.New(`JSON object without "cidr"`)
)

// parseJSON reads a line of Spamhaus DROP in its JSON form:
//
//	{"cidr":"192.0.2.0/24","sblid":"SBL1","rir":"arin"}
//	{"type":"metadata","timestamp":1700000000,"size":102,"records":1}
func parseJSON(line []byte) (netip.Prefix, error) {
	var object struct {
		CIDR string `json:"cidr"`
		Type string `json:"type"`
	}
	switch err := json.Unmarshal(line, &object); {
	case err != nil:
		return netip.Prefix{}, errJSON
	case object.CIDR != "":
		return ParsePrefix(object.CIDR)
	case object.Type == "metadata":
		return netip.Prefix{}, nil
	default:
		return netip.Prefix{}, errNoCIDR
	}
}
