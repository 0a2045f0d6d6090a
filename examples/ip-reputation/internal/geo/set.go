package geo

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/oschwald/maxminddb-golang/v2"
)

// Place is an address's entry in the databases. Unknown fields are empty, or 0.
type Place struct {
	Country   string // ISO 3166-1: DE
	Continent string // AF, AN, AS, EU, NA, OC or SA
	ASN       uint32 // number of the autonomous system
	ASOrg     string // its operator
}

// Set are databases, the most important first. Any number of goroutines may use it.
type Set []*database

// database is a file that is wholly in memory, so another file in its place does not affect
// it.
type database struct {
	*maxminddb.Reader
	path string
	info os.FileInfo // of the file
}

// Open reads the databases. It reuses the databases in before, which may be nil,
// if their files are the same. An error names the file.
func Open(paths []string, before Set) (Set, error) {
	var s Set
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if d := before.same(path, info); d != nil {
			s = append(s, d)
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		r, err := maxminddb.OpenBytes(b)
		if err != nil {
			return nil, fmt.Errorf("%s is no database in MaxMind's format (%w): point to an .mmdb file that is whole and unpacked", path, err)
		}
		s = append(s, &database{Reader: r, path: path, info: info})
	}
	return s, nil
}

func (s Set) same(path string, info os.FileInfo) *database {
	for _, d := range s {
		if d.path == path && os.SameFile(d.info, info) && d.info.Size() == info.Size() && d.info.ModTime().Equal(info.ModTime()) {
			return d
		}
	}
	return nil
}

// record is the part of a database's record that a Place has.
type record struct {
	Country struct {
		ISOCode string `maxminddb:"iso_code"`
	} `maxminddb:"country"`
	Continent struct {
		Code string `maxminddb:"code"`
	} `maxminddb:"continent"`
	ASN   uint32 `maxminddb:"autonomous_system_number"`
	ASOrg string `maxminddb:"autonomous_system_organization"`
}

// Lookup returns the place of an address: each field from the first database that has it.
// The error names a database that is damaged or has another form; the place then comes from
// the other databases.
func (s Set) Lookup(addr netip.Addr) (p Place, err error) {
	addr = addr.Unmap().WithZone("")
	for _, d := range s {
		var r record
		if e := d.Reader.Lookup(addr).Decode(&r); e != nil {
			err = fmt.Errorf("%s: %w", d.path, e)
			continue
		}
		if p.Country == "" {
			p.Country = r.Country.ISOCode
		}
		if p.Continent == "" {
			p.Continent = r.Continent.Code
		}
		if p.ASN == 0 {
			p.ASN, p.ASOrg = r.ASN, r.ASOrg
		}
	}
	return p, err
}

// Field returns one value of an address's records, such as that of the path city, names,
// en, from the first database that has it; nil if none has. A part of the path that is a
// number is the place in a list.
func (s Set) Field(addr netip.Addr, path []any) (value any) {
	addr = addr.Unmap().WithZone("")
	for _, d := range s {
		if err := d.Reader.Lookup(addr).DecodePath(&value, path...); err == nil && value != nil {
			return value
		}
	}
	return nil
}
