package samples_test

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
)

var update = flag.Bool("update", false, "write samples.txt")

// types are the types of samples or converters, by what they are and their name,
// and the letters of when a sample is there.
type types map[string]*sample

type sample struct {
	types map[string]bool
	when  string
}

const always = "cqsr"

func (t types) add(kind, name, when, typ string) {
	key := kind + " " + name
	if t[key] == nil {
		t[key] = &sample{types: map[string]bool{}, when: always}
	}
	t[key].types[typ] = true
	for _, letter := range always {
		if !strings.ContainsRune(when, letter) {
			t[key].when = strings.ReplaceAll(t[key].when, string(letter), "")
		}
	}
}

func (t types) String() string {
	text := "# What `haproxy -dKsmp` and `-dKcnv` tell; written by go test ./haproxy/internal/samples -update.\n"
	for _, key := range slices.Sorted(maps.Keys(t)) {
		text += key
		if strings.HasPrefix(key, "fetch ") {
			text += " " + cmp.Or(t[key].when, "-")
		}
		text += " " + strings.Join(slices.Sorted(maps.Keys(t[key].types)), " ") + "\n"
	}
	return text
}

var (
	fetchLine = regexp.MustCompile(`^\[ ([ .Y]*) \] ([^(:]+)(?:\(.*\))?: (\w+)$`)
	convLine  = regexp.MustCompile(`^()([^(:]+)(?:\(.*\))?: (\w+) => \w+$`) // the output's type stands first
)

// columns are the columns that HAProxy looks at for an argument of a message: frontend
// tcp-request connection rule, frontend http-request header rule, server source selection,
// frontend http-response header rule.
var columns = map[string]int{"c": 0, "q": 3, "s": 10, "r": 16}

func when(marks string) (letters string) {
	cells := strings.Fields(marks)
	for _, letter := range always {
		if i := columns[string(letter)]; i < len(cells) && cells[i] == "Y" {
			letters += string(letter)
		}
	}
	return letters
}

// dump asks a HAProxy for what it has.
func (t types) dump(tb testing.TB, bin haproxytest.Binary) {
	cfg := filepath.Join(tb.TempDir(), "empty.cfg")
	require.NoError(tb, os.WriteFile(cfg, []byte("global\n"), 0o600))
	for _, d := range []struct {
		flag, kind string
		line       *regexp.Regexp
	}{{"-dKsmp", "fetch", fetchLine}, {"-dKcnv", "conv", convLine}} {
		// Its status tells that such a configuration would not start.
		out, _ := exec.Command(bin.Path, "-c", "-f", cfg, d.flag).CombinedOutput()
		found := 0
		for line := range strings.Lines(string(out)) {
			if m := d.line.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
				t.add(d.kind, m[2], when(m[1]), m[3])
				found++
			}
		}
		require.Greater(tb, found, 80, "%v %s: %s", bin, d.flag, out)
	}
}

// TestSamples compares samples.txt with what each HAProxy says of itself. A
// version that is newer than all that were asked may have more, which costs
// nothing but findings.
func TestSamples(t *testing.T) {
	known := types{}
	for line := range strings.Lines(samples.Text) {
		switch w := strings.Fields(line); w[0] {
		case "fetch":
			for _, typ := range w[3:] {
				known.add(w[0], w[1], w[2], typ)
			}
		case "conv":
			for _, typ := range w[2:] {
				known.add(w[0], w[1], "", typ)
			}
		}
	}
	if *update {
		bins, err := haproxytest.Installed()
		require.NoError(t, err)
		for _, bin := range bins { // in addition to earlier ones
			known.dump(t, bin)
		}
		require.NoError(t, os.WriteFile("samples.txt", []byte(known.String()), 0o644))
		t.Log("samples.txt is written: run the test again")
		return
	}
	assert.Equal(t, known.String(), samples.Text)
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		has := types{}
		has.dump(t, bin)
		for key, s := range has {
			if known[key] == nil {
				assert.True(t, bin.AtLeast("3.5"), "samples.txt has no %s; run go test ./haproxy/internal/samples -update", key)
				t.Logf("samples.txt has no %s", key)
				continue
			}
			for typ := range s.types {
				assert.True(t, known[key].types[typ], "samples.txt has not %s %s; run go test ./haproxy/internal/samples -update", key, typ)
			}
			for _, letter := range known[key].when {
				assert.Contains(t, s.when, string(letter), key)
			}
		}
	})
}

func TestSampleTypes(t *testing.T) {
	for expr, want := range map[string]string{
		"src":                              "[IPV4 IPV6]",
		"src,ipmask(24)":                   "[IPV4 IPV6]",
		"path":                             "[STRING]",
		"method":                           "[STRING]",
		"ssl_fc":                           "[BOOL]",
		"req.hdrs_bin":                     "[BINARY]",
		"int(-3)":                          "[INT64]",
		"req.hdr(a,-1)":                    "[STRING]",
		"req.hdr(content-length),add(1)":   "[INT64]",
		"path,nosuch(a(b,c),d)":            "[]",
		"path,regsub(a(b,c),d),length":     "[INT64]",
		"path,lower,length":                "[INT64]",
		"src,debug":                        "[IPV4 IPV6]",
		"var(txn.x)":                       "[]", // whatever was set
		"var(txn.x),lower":                 "[STRING]",
		"var(txn.x),add(1)":                "[BOOL INT64]",
		"lua.x,add(1)":                     "[BOOL INT64]",
		"req.hdrs":                         "[STRING]", // HAProxy tells that it is binary
		"res.hdrs":                         "[STRING]",
		"req.body,protobuf(1,int32)":       "[]",
		"req.body,ungrpc(1),hex":           "[STRING]",
		"ssl_fc,add(0)":                    "[BOOL INT64]",
		"no.such":                          "[]",
		"unique-id":                        "[STRING]",
		"path,map_str_ip(/etc/x.map)":      "[IPV4 IPV6]",
		"req.hdr(x),b64dec":                "[BINARY]",
		"str(a),strcmp(txn.b)":             "[INT64]",
		"req.hdr(x-forwarded-for,1),field": "[STRING]",
	} {
		assert.Equal(t, want, fmt.Sprint(samples.Types(expr)), expr)
	}
}
