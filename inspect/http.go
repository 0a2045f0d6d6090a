package inspect

import (
	"bytes"
	"embed"
	"encoding/json"
	"net/http"
	"path"
	"time"
)

//go:embed assets
var assets embed.FS

const policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP serves the page below any prefix that ends with a slash.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "use GET", http.StatusMethodNotAllowed)
		return
	}
	name := path.Base(r.URL.Path)
	if n := len(r.URL.Path); n == 0 || r.URL.Path[n-1] == '/' {
		name = "index.html"
	}
	// Another site must not be able to start the counting, even if it cannot read the
	// answer.
	data := name == "events" || name == "config"
	if site := r.Header.Get("Sec-Fetch-Site"); data && site != "" && site != "same-origin" && site != "none" {
		http.Error(w, "open the page itself", http.StatusForbidden)
		return
	}
	switch name {
	case "events":
		p.stream(w, r)
	case "config":
		p.config(w)
	case "index.html", "app.js", "tail.js", "view.js", "style.css":
		b, err := assets.ReadFile("assets/" + name)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
	default:
		http.NotFound(w, r)
	}
}

// configuration is the content of the page's last tab.
type configuration struct {
	Name      string   `json:"name"`
	Addr      string   `json:"addr"`
	Routes    []route  `json:"routes"`
	Files     []File   `json:"files"`
	Checked   bool     `json:"checked"`
	Findings  []string `json:"findings"`
	Unchecked string   `json:"unchecked"`
	Errors    []string `json:"errors"`
}

type route struct {
	Message string `json:"message"`
	Text    string `json:"text"`
	When    string `json:"when"`
	Site    string `json:"site"`
}

func (p *Page) config(w http.ResponseWriter) {
	c := configuration{Name: p.cfg.Name, Addr: p.cfg.Addr, Unchecked: p.cfg.Unchecked, Routes: []route{}, Files: []File{}, Findings: []string{}, Errors: []string{}}
	if p.cfg.Routes != nil {
		for _, r := range p.cfg.Routes() {
			when := string(r.Event)
			if r.Condition != "" {
				when += " " + r.Condition
			}
			if r.Group != "" {
				when += " group " + r.Group
			}
			c.Routes = append(c.Routes, route{Message: r.Message, Text: r.String(), When: when, Site: shorten(r.Site)})
		}
	}
	if p.cfg.HAProxy != nil {
		files, err := p.cfg.HAProxy()
		c.Files = append(c.Files, files...)
		c.failed("HAProxy's configuration", err)
	}
	if p.cfg.Findings != nil {
		c.Checked = true
		findings, err := p.cfg.Findings()
		c.Findings = append(c.Findings, findings...)
		c.failed("the check", err)
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(c) // the browser may be gone
}

// shorten returns the folder and the file of a place in the source. The full path is a
// path of the machine that built the program.
func shorten(site string) string {
	dir, file := path.Split(site)
	return path.Join(path.Base(dir), file)
}

func (c *configuration) failed(of string, err error) {
	if err != nil {
		c.Errors = append(c.Errors, of+": "+err.Error())
	}
}
