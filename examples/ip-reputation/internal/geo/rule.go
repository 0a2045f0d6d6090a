package geo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

// Rule gives the addresses of a country, a continent or a network a score.
type Rule struct {
	Country   string `value:"CODE"`
	Continent string `value:"CODE"`
	ASN       uint32 `conf:"asn" min:"1"`
	Score     int    `min:"0" max:"100"`
}

// UnmarshalText reads a rule in the form of a flag: country=XX,score=20. The default
// score is the worst.
func (r *Rule) UnmarshalText(text []byte) error {
	*r = Rule{Score: reputation.Listed}
	for pair := range strings.SplitSeq(string(text), ",") {
		key, value, _ := strings.Cut(pair, "=")
		switch key {
		case "country":
			r.Country = value
		case "continent":
			r.Continent = value
		case "asn":
			n, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return fmt.Errorf("asn is %q: write a number such as 64500", value)
			}
			r.ASN = uint32(n)
		case "score":
			n, err := strconv.Atoi(value)
			if err != nil {
				return fmt.Errorf("score is %q: write a number from %d to %d", value, reputation.Listed, reputation.Clean)
			}
			r.Score = n
		default:
			return fmt.Errorf("unknown key %q: there are country, continent, asn and score", key)
		}
	}
	return r.Validate()
}

// MarshalText is the reverse of UnmarshalText.
func (r Rule) MarshalText() ([]byte, error) {
	return []byte(r.Name() + ",score=" + strconv.Itoa(r.Score)), nil
}

// Validate refuses a rule that matches no address, or more than one kind of place.
func (r Rule) Validate() error {
	kinds := 0
	for _, set := range []bool{r.Country != "", r.Continent != "", r.ASN != 0} {
		if set {
			kinds++
		}
	}
	switch {
	case kinds != 1:
		return errors.New("has not one of country, continent and asn: write one, such as country=XX,score=20")
	case !isCode(r.Country) || !isCode(r.Continent):
		return errors.New("has no code of two capital letters: write one such as country=XX or continent=AN")
	case r.Score < reputation.Listed || r.Score > reputation.Clean:
		return fmt.Errorf("score is %d: write a number from %d to %d", r.Score, reputation.Listed, reputation.Clean)
	}
	return nil
}

func isCode(s string) bool {
	return s == "" || len(s) == 2 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// Name is the rule's name among the lists.
func (r Rule) Name() string {
	switch {
	case r.Country != "":
		return "country=" + r.Country
	case r.Continent != "":
		return "continent=" + r.Continent
	}
	return "asn=" + strconv.FormatUint(uint64(r.ASN), 10)
}

// Matches reports whether the rule matches a place.
func (r Rule) Matches(p Place) bool {
	return r.Country != "" && r.Country == p.Country || r.Continent != "" && r.Continent == p.Continent || r.ASN != 0 && r.ASN == p.ASN
}
