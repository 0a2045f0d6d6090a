package main_test

import (
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service/servicetest"
	"github.com/spoke-go/spoke/spoe/spoetest"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// places are records by network, in the form of GeoLite2.
type places map[string]mmdbtype.Map

func country(code, continent, city string) mmdbtype.Map {
	return mmdbtype.Map{
		"country":   mmdbtype.Map{"iso_code": mmdbtype.String(code)},
		"continent": mmdbtype.Map{"code": mmdbtype.String(continent)},
		"city":      mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(city)}},
		"location":  mmdbtype.Map{"latitude": mmdbtype.Float64(48.1), "accuracy_radius": mmdbtype.Uint16(20)},
		"tags":      mmdbtype.Slice{mmdbtype.String("first"), mmdbtype.String("second")},
	}
}

func network(asn uint32, org string) mmdbtype.Map {
	return mmdbtype.Map{"autonomous_system_number": mmdbtype.Uint32(asn), "autonomous_system_organization": mmdbtype.String(org)}
}

// writeDatabase writes a database in MaxMind's format.
func writeDatabase(t *testing.T, path string, records places) {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test", RecordSize: 24, IncludeReservedNetworks: true})
	require.NoError(t, err)
	for prefix, record := range records {
		_, n, err := net.ParseCIDR(prefix)
		require.NoError(t, err)
		require.NoError(t, tree.Insert(n, record))
	}
	var b bytes.Buffer
	_, err = tree.WriteTo(&b)
	require.NoError(t, err)
	servicetest.WriteFile(t, path, b.String())
}

// writeDatabases writes one of countries and one of networks.
func writeDatabases(t *testing.T) (flags []string) {
	t.Helper()
	dir := t.TempDir()
	countries, networks := filepath.Join(dir, "country.mmdb"), filepath.Join(dir, "asn.mmdb")
	writeDatabase(t, countries, places{
		"192.0.2.0/24": country("DE", "EU", "München"), "198.51.100.0/24": country("BR", "SA", ""), "2001:db8::/32": country("AQ", "AN", "")})
	writeDatabase(t, networks, places{"192.0.2.128/25": network(64500, "Example Net"), "203.0.113.0/24": network(64501, "Other Net")})
	return []string{"-database", countries, "-database", networks}
}

// Rules by country, continent and network, beside lists: the worst counts, and an allow
// list wins.
func TestGeo(t *testing.T) {
	dir := t.TempDir()
	list, allow := filepath.Join(dir, "bad.txt"), filepath.Join(dir, "good.txt")
	writeList(t, list, "198.51.100.66", "192.0.2.130")
	writeList(t, allow, "198.51.100.7")
	a := startAgent(t, append(writeDatabases(t), "-list", "score=40,path="+list, "-allow", allow,
		"-geo", "country=BR,score=60", "-geo", "continent=AN", "-geo", "asn=64500,score=10", "-geo", "country=DE,score=90",
		"-field", "city=city.names.en", "-field", "lat=location.latitude", "-field", "radius=location.accuracy_radius", "-field", "tag=tags.1", "-field", "all=tags")...)
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()
	for _, tt := range []struct {
		addr                      string
		score                     int
		list                      string
		country, continent, asOrg string
		asn                       int
	}{
		{"192.0.2.1", 90, "country=DE", "DE", "EU", "", 0},
		{"::ffff:192.0.2.1", 90, "country=DE", "DE", "EU", "", 0},
		{"192.0.2.129", 10, "asn=64500", "DE", "EU", "Example Net", 64500},
		{"192.0.2.130", 10, "asn=64500", "DE", "EU", "Example Net", 64500},
		{"198.51.100.1", 60, "country=BR", "BR", "SA", "", 0},
		{"198.51.100.66", 40, "bad", "BR", "SA", "", 0},
		{"198.51.100.7", 100, "allow", "BR", "SA", "", 0},
		{"203.0.113.1", 100, "", "", "", "Other Net", 64501},
		{"2001:db8::1", 0, "continent=AN", "AQ", "AN", "", 0},
		{"2001:db9::1", 100, "", "", "", "", 0},
	} {
		t.Run(tt.addr, func(t *testing.T) {
			got, err := haproxy.Ask(t.Context(), "ip-rep", spoetest.Arg("ip", netip.MustParseAddr(tt.addr)))
			require.NoError(t, err)
			assert.EqualValues(t, tt.score, got.Int("sess.ip_score"))
			for name, want := range map[string]string{"ip_list": tt.list, "country": tt.country, "continent": tt.continent, "as_org": tt.asOrg} {
				assert.Equal(t, want == "", got.Unset("sess."+name), name)
				if want != "" {
					assert.Equal(t, want, got.Str("sess."+name))
				}
			}
			assert.Equal(t, tt.asn == 0, got.Unset("sess.asn"))
			if tt.asn != 0 {
				assert.EqualValues(t, tt.asn, got.Int("sess.asn"))
			}
			if tt.country == "DE" {
				assert.Equal(t, "München", got.Str("sess.city"))
				assert.Equal(t, "48.1", got.Str("sess.lat"))
				assert.EqualValues(t, 20, got.Int("sess.radius"))
				assert.Equal(t, "second", got.Str("sess.tag"))
				assert.Equal(t, "[first second]", got.Str("sess.all"))
			}
		})
	}
}

// A database that changes is taken in; a broken one leaves the last good one.
func TestDatabaseIsSwapped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "country.mmdb")
	writeDatabase(t, path, places{"192.0.2.0/24": country("DE", "EU", "")})
	a := startAgent(t, "-database", path)
	haproxy, err := spoetest.Dial(t.Context(), "tcp", a.Addr(t))
	require.NoError(t, err)
	defer haproxy.Close()
	ask := func() string {
		got, err := haproxy.Ask(t.Context(), "ip-rep", spoetest.Arg("ip", netip.MustParseAddr("192.0.2.1")))
		require.NoError(t, err)
		return got.Str("sess.country")
	}
	assert.Equal(t, "DE", ask())
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	servicetest.WriteFile(t, path, string(whole[:len(whole)/2]))
	a.Log.Wait(t, `msg="configuration not reloaded, the old one stays".*country.mmdb is no database in MaxMind's format`)
	assert.Equal(t, "DE", ask())
	writeDatabase(t, path, places{"192.0.2.0/24": country("FR", "EU", "")})
	a.Log.Wait(t, `msg="configuration reloaded" reason="a file has changed"`)
	assert.Equal(t, "FR", ask())
}

func TestWrongGeo(t *testing.T) {
	database := writeDatabases(t)
	for _, tt := range []struct{ flags, want string }{
		{"-geo country=XX", "geo: is set without database: write database, too"},
		{"-field a=b", "field: is set without database: write database, too"},
		{"-database D -geo score=1", "has not one of country, continent and asn"},
		{"-database D -geo country=DE,asn=1", "has not one of country, continent and asn"},
		{"-database D -geo country=de", "has no code of two capital letters"},
		{"-database D -geo asn=AS1", `asn is "AS1": write a number such as 64500`},
		{"-database D -geo country=DE,score=101", "score is 101: write a number from 0 to 100"},
		{"-database D -geo country=DE,score=x", `score is "x": write a number from 0 to 100`},
		{"-database D -geo city=x", `unknown key "city": there are country, continent, asn and score`},
		{"-database D -field city", "is no field: write its variable and its path in the database, such as city=city.names.en"},
		{"-database D -field ci-ty=a", "ci-ty"},
		{"-database /none", "/none: no such file or directory"},
		{"-database go.mod", "go.mod is no database in MaxMind's format"},
	} {
		status, _, stderr := once(t, append([]string{"-t"}, strings.Fields(strings.ReplaceAll(tt.flags, "D ", database[1]+" "))...)...)
		assert.NotZero(t, status, tt.flags)
		assert.Contains(t, stderr, tt.want, tt.flags)
	}
}

// HAProxy refuses a country, and the site learns the others'.
func TestHAProxyActsOnCountries(t *testing.T) {
	flags := append(writeDatabases(t), "-geo", "country=BR,score=10")
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		a := startAgent(t, flags...)
		config := patient(t, shipped(t, a.Addr(t), failOpen, failClosed))
		h := haproxytest.Start(t, bin, config)
		waitUp(t, h)
		assert.Equal(t, http.StatusForbidden, h.Get("/", "X-Forwarded-For", "198.51.100.1").Status)
		assert.Contains(t, h.WaitLog("198.51.100.1 GET / "), "list=country=BR country=BR asn=- ")
		resp := h.Get("/", "X-Forwarded-For", "192.0.2.129", "X-IP-Country", "BR")
		assert.Equal(t, http.StatusOK, resp.Status)
		assert.Contains(t, h.WaitLog("192.0.2.129 GET / "), "country=DE asn=64500 ")
		assert.Equal(t, "score=100 list= country=DE", resp.Body)
	})
}
