package rules

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/experimental"
	"github.com/corazawaf/coraza/v3/types"
)

// CoreRuleSet is the directives of a Source without directives and files. The rule set's own
// example has rules log in the phases 1 and 2 alone.
const CoreRuleSet = `Include @coraza.conf-recommended
Include @crs-setup.conf.example
SecDefaultAction "phase:3,log,auditlog,pass"
SecDefaultAction "phase:4,log,auditlog,pass"
Include @owasp_crs/*.conf
SecRuleEngine On
`

// Source is the source of rules: its fields in the order in which they count.
type Source struct {
	Directives string   // as in a file
	Files      []string // paths, or patterns such as /etc/waf/*.conf
	Last       string   // directives that count after all others
	Records    bool     // Transaction.Log returns the entries of the audit log
}

// Set is compiled rules. It is safe for concurrent use.
type Set struct {
	// Files are the files on disk that were read.
	Files []string

	waf     coraza.WAF
	records bool
	open    atomic.Int64  // transactions
	unused  chan struct{} // receives when open becomes 0
}

// Compile compiles rules. Its error names the file and the line that is wrong. Rules
// that Coraza would leave out are an error, too, and so is a source without any rule.
func Compile(src Source) (*Set, error) {
	if src.Directives == "" && len(src.Files) == 0 {
		src.Directives = CoreRuleSet
	}
	root, rules := new(root), 0
	waf, err := coraza.NewWAF(experimental.WAFConfigWithRuleObserver(src.config(root), func(types.RuleMetadata) { rules++ }))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", locate(src), err)
	case rules == 0: // an empty file, or a pattern that matches none
		return nil, errors.New("there is no rule")
	}
	for _, f := range append([]file{{text: src.Directives}}, root.read...) {
		if err := f.complete(); err != nil {
			return nil, err
		}
	}
	return &Set{Files: root.onDisk(), waf: waf, records: src.Records, unused: make(chan struct{}, 1)}, nil
}

func (src Source) config(files *root) coraza.WAFConfig {
	cfg, last := coraza.NewWAFConfig().WithRootFS(files), src.Last+"\n"
	if src.Records {
		cfg = cfg.WithDirectives("SecAuditLog /dev/null\n") // without a file there is no entry
		last += "SecAuditLogFormat " + recordsFormat + "\n"
	}
	if src.Directives != "" {
		cfg = cfg.WithDirectives(src.Directives)
	}
	for _, f := range src.Files {
		cfg = cfg.WithDirectivesFromFile(f)
	}
	return cfg.WithDirectives(last)
}

// release ends the use of the set by a transaction.
func (s *Set) release() {
	if s.open.Add(-1) > 0 {
		return
	}
	select {
	case s.unused <- struct{}{}:
	default: // Close has not taken the last one
	}
}

// Close waits until the transactions of the set are closed, or until stop is, and frees what
// it shares with other sets. Transactions that are under way then go on.
func (s *Set) Close(stop <-chan struct{}) error {
	for waits := true; waits && s.open.Load() > 0; {
		select {
		case <-s.unused:
		case <-stop:
			waits = false
		}
	}
	if c, ok := s.waf.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
