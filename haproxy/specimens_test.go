package haproxy_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/haproxy"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

// A specimen is a folder of testdata/specimens: haproxy.cfg, which is loaded behind
// common.cfg, and spoe.conf; seen.json, what each HAProxy does with a request; and
// want.txt, the finding. Without want.txt, Check finds nothing. routes.json has the
// agent's routes where they are not those of the generic agent, which handles each
// message of spoe.conf and sets txn.PREFIX.verdict.
type specimen struct{ dir string }

func specimens(t *testing.T) []specimen {
	t.Helper()
	files, err := filepath.Glob("testdata/specimens/*/haproxy.cfg")
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(files), 60)
	var all []specimen
	for _, f := range files {
		all = append(all, specimen{filepath.Dir(f)})
	}
	return all
}

// seen is HAProxy's treatment of a request.
type seen struct {
	Target   string            `json:"target"`   // "/" by default
	Targets  []string          `json:"targets"`  // of several requests on one connection; the last counts
	Headers  []string          `json:"headers"`  // names and values
	Star     bool              `json:"star"`     // the request is OPTIONS *
	TLS      string            `json:"tls"`      // the request is sent over TLS, with this name
	Status   int               `json:"status"`   // of the response; 0 where there is none
	Messages map[string]int    `json:"messages"` // how often the agent gets each message
	Args     map[string]string `json:"args"`     // the arguments that it gets, by message.argument
	Site     map[string]string `json:"site"`     // headers that the site gets
	St       []string          `json:"st"`       // the numbers in the lines of SPOE's log
	Log      string            `json:"log"`      // texts that a line of the log has
	Late     bool              `json:"late"`     // the client connects, and is silent for a while
	Closes   bool              `json:"closes"`   // the client closes its sending side while the agent is asked
	Long     int               `json:"long"`     // how long a header X-Long of the request is, in bytes
	Crashes  bool              `json:"crashes"`  // HAProxy takes the configuration, and ends by itself when it asks
	Body     int               `json:"body"`     // how long the body of the request is, in bytes
	AtOnce   int               `json:"at_once"`  // how many clients send the request at the same time; 1 by default
	Greets   string            `json:"greets"`   // how long the agent waits before it reads from a connection
	Frame    int               `json:"frame"`    // the agent's MaxFrameSize, in bytes
	OverTLS  bool              `json:"over_tls"` // the agent speaks TLS
	AtLeast  map[string]int    `json:"at_least"` // how often the agent gets each message at least
	Since    string            `json:"since"`    // the version from which on HAProxy takes the configuration
	// By has what differs for versions such as "2.6".
	By map[string]json.RawMessage `json:"by"`
}

func (s specimen) seen(t *testing.T, bin haproxytest.Binary) seen {
	t.Helper()
	read := func(b []byte, into *seen) {
		d := json.NewDecoder(bytes.NewReader(b))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(into), s.dir)
	}
	b, err := os.ReadFile(filepath.Join(s.dir, "seen.json"))
	require.NoError(t, err)
	var all seen
	read(b, &all)
	for _, version := range slices.Sorted(maps.Keys(all.By)) {
		if strings.HasPrefix(bin.Version, version+".") {
			read(all.By[version], &all)
		}
	}
	return all
}

var messageLine = regexp.MustCompile(`(?m)^spoe-message (\S+)`)

// routes returns what the agent of a specimen handles.
func (s specimen) routes(t *testing.T) haproxy.Agent {
	t.Helper()
	f, err := os.Open(filepath.Join(s.dir, "routes.json"))
	if err == nil {
		defer f.Close()
		a, err := haproxy.ReadRoutes(f)
		require.NoError(t, err)
		return a
	}
	require.ErrorIs(t, err, os.ErrNotExist)
	var a haproxy.Agent
	for _, m := range messageLine.FindAllStringSubmatch(haproxytest.ReadConfig(t, filepath.Join(s.dir, "spoe.conf")), -1) {
		a.Messages = append(a.Messages, haproxy.Message{Name: m[1], AnyArgs: true, Vars: []haproxy.Var{{Scope: "txn", Name: "verdict", Always: true}}})
	}
	return a
}

func (s specimen) sources() haproxy.Sources {
	env := map[string]string{"AGENT": "127.0.0.1:9000"}
	return haproxy.Sources{
		Configs: []string{"testdata/specimens/common.cfg", filepath.Join(s.dir, "haproxy.cfg")},
		LookupEnv: func(name string) (string, bool) {
			v, ok := env[name]
			return v, ok
		},
	}
}

// TestSpecimensFound holds what Check says of each specimen.
func TestSpecimensFound(t *testing.T) {
	sound := 0
	for _, s := range specimens(t) {
		t.Run(filepath.Base(s.dir), func(t *testing.T) {
			found, err := haproxy.Check(s.routes(t), s.sources())
			require.NoError(t, err)
			want := filepath.Join(s.dir, "want.txt")
			if _, err := os.Stat(want); err != nil && !*update {
				sound++
				require.Empty(t, found)
				return
			}
			if len(found) == 0 && *update {
				return
			}
			require.Len(t, found, 1, "%v", found)
			golden(t, strings.TrimPrefix(want, "testdata/"), found[0].Text()+"\n")
		})
	}
	if !*update {
		assert.GreaterOrEqual(t, sound, 40, "sound specimens")
	}
}

// TestSpecimensSeen holds what each HAProxy does with each specimen.
func TestSpecimensSeen(t *testing.T) {
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		for _, s := range specimens(t) {
			t.Run(filepath.Base(s.dir), func(t *testing.T) {
				t.Parallel()
				s.run(t, bin)
			})
		}
	})
}
