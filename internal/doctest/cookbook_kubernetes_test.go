//go:build linux && !race

package docs_test

import (
	"net"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/assert/yaml"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/spoe/spoetest"

	"github.com/spoke-go/spoke/internal/recipes"
)

// manifest has the fields of Kubernetes' objects that the tests look at.
type manifest struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   struct{ Name, Namespace string }
	Data       map[string]string
	Spec       struct {
		Replicas  int
		ClusterIP string           `yaml:"clusterIP"`
		Selector  map[string]any   // of a Service
		Ports     []map[string]any // of a Service
		Template  struct {
			Metadata struct{ Labels map[string]any }
			Spec     struct {
				Grace      int `yaml:"terminationGracePeriodSeconds"`
				Containers []struct {
					Args, Command []string
					Ports         []struct {
						Name string
						Port int `yaml:"containerPort"`
					}
					Readiness probe `yaml:"readinessProbe"`
					Liveness  probe `yaml:"livenessProbe"`
				}
			}
		}
	}
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// manifests reads a file of them.
func manifests(t *testing.T, file string) map[string]manifest {
	t.Helper()
	all := map[string]manifest{}
	for _, text := range strings.Split(recipes.ReadFile(t, "../examples/cookbook/kubernetes/"+file), "\n---\n") {
		var m manifest
		require.NoError(t, yaml.Unmarshal([]byte(text), &m), file)
		assert.NotEmpty(t, m.APIVersion)
		assert.Equal(t, "edge", m.Metadata.Namespace)
		all[m.Kind] = m
	}
	return all
}

// TestCookbookConfigMap: its files are those of the folder (-update writes it),
// which TestCookbookValid checks with each HAProxy.
func TestCookbookConfigMap(t *testing.T) {
	r := cookbook["kubernetes/haproxy.cfg"]
	config, beside := r.Files(t)
	text := "# Written by go test ./internal/doctest -update. For files of your own:\n#\n" +
		"#     kubectl create configmap haproxy -n edge --dry-run=client -o yaml \\\n" +
		"#         --from-file=haproxy.cfg --from-file=spoe.conf --from-file=agents.cfg\n" +
		"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: haproxy\n  namespace: edge\ndata:\n" +
		literal("haproxy.cfg", config) + literal("spoe.conf", beside["spoe.conf"]) + literal("agents.cfg", beside["agents.cfg"])
	file := r.Path(t, "configmap.yaml")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	assert.Equal(t, recipes.ReadFile(t, file), text, "%s: run go test ./internal/doctest -update", file)
	m := manifests(t, "configmap.yaml")["ConfigMap"]
	assert.Equal(t, map[string]string{"haproxy.cfg": config, "spoe.conf": beside["spoe.conf"], "agents.cfg": beside["agents.cfg"]}, m.Data)
}

// literal is a text as a literal block of YAML's.
func literal(name, text string) string {
	b := "  " + name + ": |\n"
	for line := range strings.Lines(text) {
		if strings.TrimSpace(line) != "" {
			line = "    " + line
		}
		b += line
	}
	return b
}

// TestCookbookManifests: the objects fit each other, HAProxy's files and the
// program.
func TestCookbookManifests(t *testing.T) {
	agents := manifests(t, "agent.yaml")
	deployment, service := agents["Deployment"], agents["Service"]
	c := deployment.Spec.Template.Spec.Containers[0]

	// The server lines lead to the pods.
	host, port, err := net.SplitHostPort("guard.edge.svc.cluster.local:9000")
	require.NoError(t, err)
	servers := regexp.MustCompile(`(?m)^    server \S+ (\S+)`).FindAllStringSubmatch(recipes.ReadFile(t, "../examples/cookbook/kubernetes/agents.cfg"), -1)
	assert.GreaterOrEqual(t, len(servers), deployment.Spec.Replicas+1, "one more while it is rolled out")
	for _, s := range servers {
		assert.Equal(t, net.JoinHostPort(host, port), s[1])
	}
	assert.Equal(t, host, service.Metadata.Name+"."+service.Metadata.Namespace+".svc.cluster.local")
	assert.Equal(t, "None", service.Spec.ClusterIP)
	assert.Equal(t, deployment.Spec.Template.Metadata.Labels, service.Spec.Selector)
	assert.Equal(t, "spop", service.Spec.Ports[0]["targetPort"])
	assert.EqualValues(t, 9000, service.Spec.Ports[0]["port"])

	// The program listens where the objects say.
	ports := map[string]string{}
	for _, p := range c.Ports {
		ports[p.Name] = ":" + strconv.Itoa(p.Port)
	}
	assert.Equal(t, ":"+port, ports["spop"], "a headless Service does not translate ports")
	shutdown := 0 * time.Second
	for _, arg := range c.Args {
		name, value, _ := strings.Cut(arg, "=")
		switch name {
		case "-listen":
			assert.Equal(t, ports["spop"], value)
		case "-probes":
			assert.Equal(t, ports["probes"], value)
		case "-shutdown":
			shutdown, err = time.ParseDuration(value)
			require.NoError(t, err)
		default:
			t.Errorf("the agent has no flag %s", name)
		}
	}
	assert.Positive(t, shutdown)
	assert.Greater(t, time.Duration(deployment.Spec.Template.Spec.Grace)*time.Second, shutdown)
	assert.Equal(t, "/readyz probes", c.Readiness.HTTPGet.Path+" "+c.Readiness.HTTPGet.Port)
	assert.Equal(t, "/healthz probes", c.Liveness.HTTPGet.Path+" "+c.Liveness.HTTPGet.Port)

	// HAProxy is started with the files of the ConfigMap.
	h := manifests(t, "haproxy.yaml")["Deployment"].Spec.Template.Spec.Containers[0]
	assert.Equal(t, []string{"-f", "agents.cfg", "-f", "haproxy.cfg"}, h.Command[len(h.Command)-4:])
	assert.Equal(t, 8080, h.Ports[0].Port)
	assert.Contains(t, recipes.ReadFile(t, "../examples/cookbook/kubernetes/haproxy.cfg"), "bind :8080\n")
}

// TestCookbookProbes: the kubelet's view of an agent that ends while a HAProxy still checks
// it.
func TestCookbookProbes(t *testing.T) {
	t.Parallel()
	a := recipes.StartAgent(t, "kubernetes", "-listen", "127.0.0.1:0", "-probes", "127.0.0.1:0")
	url := "http://" + a.Says(regexp.MustCompile(`probes: listening addr=(\S+)`))
	get := func(path string) int {
		resp, err := http.Get(url + path)
		require.NoError(t, err)
		resp.Body.Close()
		return resp.StatusCode
	}
	check := func() error {
		_, err := spoetest.HealthCheck(t.Context(), "tcp", a.Addr)
		return err
	}
	require.NoError(t, check())
	assert.Equal(t, []int{200, 200}, []int{get("/readyz"), get("/healthz")})

	a.Signal(syscall.SIGTERM)
	recipes.Until(t, func() bool { return get("/readyz") == 503 }, func() string { return "it stays ready" })
	assert.Equal(t, 200, get("/healthz"))
	for range 3 { // until HAProxy knows
		assert.Error(t, check())
	}
	a.Terminate()
}

// TestCookbookKubernetes lets HAProxy find the pods by their Service's name, each
// server line one of its own.
func TestCookbookKubernetes(t *testing.T) {
	const name = "guard.edge.svc.cluster.local"
	t.Parallel()
	haproxytest.ForEach(t, func(t *testing.T, bin haproxytest.Binary) {
		t.Parallel()
		pod := func(addr string) *recipes.Process {
			return recipes.StartAgent(t, "kubernetes", "-listen", addr, "-probes", "127.0.0.1:0")
		}
		pod1 := pod("127.0.0.1:0")
		_, port, err := net.SplitHostPort(pod1.Addr)
		require.NoError(t, err)
		pod("127.0.0.2:" + port)
		dns := startDNS(t, name, "127.0.0.1", "127.0.0.2")

		k := start(t, cookbook["kubernetes/haproxy.cfg"], bin, recipes.Setup{None: true, Edits: []string{
			"bind :8080", `bind {{addr "http"}}`,
			"parse-resolv-conf ", "nameserver test " + dns.addr + " ",
			"site.edge.svc.cluster.local:80 resolvers kubernetes init-addr none", startSite(t),
			name + ":9000", name + ":" + port,
			"hold valid    5s", "hold valid 100ms",
			"inter 1s", "inter 100ms",
		}})
		pods := func(want ...string) {
			t.Helper()
			var state string
			recipes.Until(t, func() bool {
				state = k.Command("show servers state guard-agents")
				up := upServers(state)
				slices.Sort(up)
				return slices.Equal(up, want)
			}, func() string { return state })
		}
		pods("127.0.0.1", "127.0.0.2")
		k.get(200, "/")
		k.get(403, "/.env")

		pod1.Kill()
		pods("127.0.0.2")
		k.get(403, "/.env")

		pod("127.0.0.3:" + port)
		dns.answer("127.0.0.2", "127.0.0.3")
		pods("127.0.0.2", "127.0.0.3")
		k.get(403, "/.env")
	})
}

// upServers are the addresses of the servers that are up, in what HAProxy's command
// "show servers state" answers: the fifth and sixth field of a line.
func upServers(state string) (addrs []string) {
	for line := range strings.Lines(state) {
		if f := strings.Fields(line); len(f) > 5 && f[5] == "2" {
			addrs = append(addrs, f[4])
		}
	}
	return addrs
}
