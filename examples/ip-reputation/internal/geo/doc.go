// Package geo finds where an address is and whose network it is in, from databases in
// MaxMind's format (.mmdb): GeoLite2 and GeoIP2 City, Country and ASN, those of DB-IP, and
// any other for single fields.
package geo
