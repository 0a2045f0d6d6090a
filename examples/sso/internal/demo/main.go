// Command demo is `make run-sso`: the agent, HAProxy, a provider with two users and two
// sites. It runs until Ctrl-C, or drives a browser through all of it and shows the
// outcome. Run it in examples/sso.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/spoke-go/spoke/examples/sso/internal/lab"
	"github.com/spoke-go/spoke/spoe/spoetest/haproxytest"
)

func main() {
	stay := flag.Bool("stay", false, "stay until Ctrl-C")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, *stay); err != nil {
		fmt.Fprintf(os.Stderr, "FAILED: %v\n", err)
		os.Exit(1)
	}
}

const patience = 30 * time.Second

// demo has the parts that run.
type demo struct {
	dir        string
	provider   *lab.Provider
	wiki, shop string // URLs
	end        []func()
}

func run(ctx context.Context, stay bool) (err error) {
	d := new(demo)
	defer func() {
		for i := len(d.end) - 1; i >= 0; i-- { // last started, first ended
			d.end[i]()
		}
	}()
	if d.dir, err = os.MkdirTemp("", "spoke-sso-"); err != nil {
		return err
	}
	d.end = append(d.end, func() { os.RemoveAll(d.dir) })
	if err := d.start(ctx); err != nil {
		return err
	}
	token, err := d.provider.OpaqueToken("alice")
	if err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(d.wiki[len("https://"):])
	fmt.Printf("\nOpen %s in a browser, and then %s.\nThe users are alice, who may see /admin/, and bob; the password is %q.\nThe certificate is signed by itself: let the browser go on.\n\n"+
		"  curl -ik --resolve wiki.localhost:%[4]s:127.0.0.1 %[1]s/api\n"+
		"  curl -ik --resolve wiki.localhost:%[4]s:127.0.0.1 -H 'Authorization: Bearer %[5]s' %[1]s/admin/\n\nThe token is good for five minutes.\n", d.wiki, d.shop, lab.Password, port, token)
	if stay {
		<-ctx.Done()
		fmt.Println("\nStopped. Nothing is left running.")
		return nil
	}
	return d.drive()
}

// start starts everything.
func (d *demo) start(ctx context.Context) error {
	agent := filepath.Join(d.dir, "sso")
	fmt.Println("Building examples/sso")
	build := exec.CommandContext(ctx, "go", "build", "-o", agent, ".")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	l, err := listen("127.0.0.1:8090")
	if err != nil {
		return err
	}
	issuer := "http://" + l.Addr().String()
	if d.provider, err = lab.NewProvider(issuer); err != nil {
		return err
	}
	d.serve(l, d.provider)
	sites := make(map[string]string)
	for name, addr := range map[string]string{"wiki": "127.0.0.1:8081", "shop": "127.0.0.1:8082"} {
		l, err := listen(addr)
		if err != nil {
			return err
		}
		sites[name] = l.Addr().String()
		d.serve(l, lab.Site(name))
	}
	free := make([]string, 3)
	for i, addr := range []string{"127.0.0.1:8443", "127.0.0.1:9000", "127.0.0.1:9080"} {
		l, err := listen(addr)
		if err != nil {
			return err
		}
		free[i] = l.Addr().String()
		l.Close()
	}
	front, spop, pages := free[0], free[1], free[2]
	_, port, _ := net.SplitHostPort(front)
	d.wiki, d.shop = "https://wiki.localhost:"+port, "https://shop.localhost:"+port
	d.provider.SetHosts("wiki.localhost:"+port, "shop.localhost:"+port)

	cert, key, err := lab.Certificate("wiki.localhost", "shop.localhost")
	if err != nil {
		return err
	}
	config := fmt.Sprintf(`keys: ["for the demonstration alone, until it ends"]
providers:
  - {name: main, issuer: %q, client-id: %s, client-secret: %q, audiences: [%[2]s], introspect: true}
sites:
  - hosts: [wiki.localhost]
    provider: main
    bearer: true
    rules:
      - {paths: [/public/], do: allow}
      - {paths: [/admin/], groups: [admins]}
      - {}
  - {hosts: [shop.localhost], provider: main}
`, issuer, lab.ClientID, lab.ClientSecret)
	file := func(name string, b []byte) string {
		path := filepath.Join(d.dir, name)
		err = errors.Join(err, os.WriteFile(path, b, 0o600))
		return path
	}
	configFile, certFile := file("agent.yaml", []byte(config)), file("site.pem", append(cert, key...))
	if err != nil {
		return err
	}
	if err := d.program(exec.Command(agent, "-config", configFile, "-listen", spop, "-pages-listen", pages, "-admin-listen", "off", "-log-all", "-shutdown-timeout", "1s"), spop, pages); err != nil {
		return err
	}
	found, err := haproxytest.Installed()
	if err != nil || len(found) == 0 {
		return errors.Join(errors.New("no HAProxy found: make haproxy installs it"), err)
	}
	bin := found[len(found)-1]
	haproxy := exec.Command(bin.Path, "-db", "-f", "agents.cfg", "-f", "haproxy.cfg")
	haproxy.Env = append(os.Environ(), "SSO_FRONTEND="+front, "SSO_CERT="+certFile, "SSO_WIKI="+sites["wiki"], "SSO_SHOP="+sites["shop"], "SSO_AGENT="+spop, "SSO_PAGES="+pages)
	if err := d.program(haproxy, front); err != nil {
		return err
	}
	fmt.Printf("%v on %s, the agent on %s, its pages on %s, the provider at %s\n", bin, front, spop, pages, issuer)
	return nil
}

// listen listens at addr or, if that is in use, at another port.
func listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return net.Listen("tcp", "127.0.0.1:0")
	}
	return l, nil
}

func (d *demo) serve(l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: patience}
	go func() { _ = s.Serve(l) }() // ends with Close
	d.end = append(d.end, func() { _ = s.Close() })
}

// program starts a program, and returns when it listens.
func (d *demo) program(cmd *exec.Cmd, addrs ...string) error {
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if cmd.Env == nil {
		cmd.Env = os.Environ()
	}
	cmd.Env = append(cmd.Env, "OTEL_SDK_DISABLED=true")
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // ends with the program
	d.end = append(d.end, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
		}
	})
	for _, addr := range addrs {
		for limit := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			c, err := net.DialTimeout("tcp", addr, time.Second)
			if err == nil {
				c.Close()
				break
			}
			select {
			case <-ended:
				return fmt.Errorf("%s has ended: see above", cmd.Path)
			default:
			}
			if time.Now().After(limit) {
				return fmt.Errorf("%s does not answer at %s: %w", cmd.Path, addr, err)
			}
		}
	}
	return nil
}
