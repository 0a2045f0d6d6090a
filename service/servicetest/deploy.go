package servicetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// CheckMetrics checks that each metric in the files, which are alert rules and
// dashboards, is in scraped, an answer of /metrics. prefix begins the agent's own
// metrics, such as iprep_, and labels are words in the files that only look like metrics.
func CheckMetrics(t testing.TB, scraped, prefix string, files []string, labels ...string) {
	t.Helper()
	name := regexp.MustCompile(`\b(?:spop_|rpc_|spoke_|process_|go_|` + regexp.QuoteMeta(prefix) + `)[a-z_]*[a-z]\b`)
	labels = append(labels, "rpc_method", "spop_side", "spop_status", "spop_drop_reason", "spoke_config_result")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		names := name.FindAllString(string(text), -1)
		if len(names) <= 5 {
			t.Errorf("%s has no more than %d metrics: %q", file, len(names), names)
		}
		for _, n := range names {
			if !slices.Contains(labels, n) && !regexp.MustCompile(`(?m)^`+n+`[{ ]`).MatchString(scraped) {
				t.Errorf("%s has a metric that is not there: %s", file, n)
			}
		}
	}
}

// CheckUnit checks that systemd rates the exposure of a unit below 2, which is "OK"; 10 is
// no protection at all. Without systemd-analyze it logs that it did not check.
func CheckUnit(t testing.TB, unit string) {
	t.Helper()
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Log("NOT RUN: systemd-analyze is not installed")
		return
	}
	out, err := exec.Command(tool, "security", "--offline=true", "--no-pager", unit).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := regexp.MustCompile(`Overall exposure level for ` + regexp.QuoteMeta(filepath.Base(unit)) + `: ([\d.]+)`).FindSubmatch(out)
	if m == nil {
		t.Fatalf("systemd-analyze gave no rating:\n%s", out)
	}
	if exposure, err := strconv.ParseFloat(string(m[1]), 64); err != nil || exposure >= 2 {
		t.Errorf("the exposure is %s: below 2 is wanted\n%s", m[1], out)
	}
}
