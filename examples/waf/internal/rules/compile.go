package rules

import (
	"errors"
	"fmt"
	"io"

	"github.com/corazawaf/coraza/v3"
	"github.com/corazawaf/coraza/v3/experimental"
	"github.com/corazawaf/coraza/v3/types"
)

// Source is where rules come from, in the order in which they count.
type Source struct {
	Directives string   // as in a file
	Files      []string // paths, or patterns such as /etc/waf/*.conf
	Last       string   // directives that count after all others
	Records    bool     // Set.Log returns the entries of the audit log
}

// Set is compiled rules. It is safe for concurrent use.
type Set struct {
	coraza.WAF
	// Files are the files on disk that were read.
	Files []string

	records bool
}

// Compile compiles rules. Its error names the file and the line that is wrong. Rules
// that Coraza would leave out are an error, too, and so is a source without any rule.
func Compile(src Source) (*Set, error) {
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
	return &Set{WAF: waf, Files: root.onDisk(), records: src.Records}, nil
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

// Close frees what the set shares with other sets. Transactions that are under way go on.
func (s *Set) Close() error {
	if c, ok := s.WAF.(io.Closer); ok {
		return c.Close()
	}
	return nil
}
