package criteria_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/examples/rate-limit/internal/criteria"
)

func TestPattern(t *testing.T) {
	for _, tt := range []struct {
		pattern criteria.Pattern
		path    string
		want    bool
	}{
		{"/login", "/login", true},
		{"/login", "/login/", true},
		{"/login", "/Login", false},
		{"/login", "/logins", false},
		{"/login", "/a/login", false},
		{"/login", "//login", true},
		{"/login", "/./x/../login", true},
		{"/login", "/%6Cog%69n", true},
		{"/login", "", false},
		{"/", "", true},
		{"/api/*", "/api/", true},
		{"/api/*", "/apis", false},
		{"/api/*", "/api/1/2", true},
		{"/api*", "/api", true},
		{"*.php", "/a/b.php", true},
		{"*.php", "/a/b.php5", false},
		{"/a*b*c", "/abc", true},
		{"/a*b*c", "/aXbYbZc", true},
		{"/a*b*c", "/acb", false},
		{"/a*a", "/a", false},
		{"/login/", "/login", true},
		{"/*", "/%zz", true},
		{"/api/*", "/%61pi/x%zz", true},
		{"/api/*", "/%61pi/%", true},
		{"/login", "/%2e/%2E%2e/logi%6e", true},
	} {
		assert.Equal(t, tt.want, tt.pattern.Matches(criteria.CleanPath(tt.path)), "%s on %s", tt.pattern, tt.path)
	}
}
