// Package geo finds the place and the network of an address in databases of MaxMind's
// format (.mmdb): GeoLite2 and GeoIP2 City, Country and ASN, those of DB-IP, and any other
// for single fields.
package geo
