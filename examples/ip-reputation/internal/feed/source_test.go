package feed_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/examples/ip-reputation/internal/feed"
	"github.com/spoke-go/spoke/examples/ip-reputation/internal/reputation"
)

func TestParseSource(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		allow      bool
		want       feed.Source
		err        string
	}{
		{name: "all keys", text: "name=tor,score=20,optional=true,path=/l/tor.txt",
			want: feed.Source{List: reputation.List{Name: "tor", Score: 20}, Path: "/l/tor.txt", Optional: true}},
		{name: "another order", text: "score=20,name=tor,path=/l/tor.txt",
			want: feed.Source{List: reputation.List{Name: "tor", Score: 20}, Path: "/l/tor.txt"}},
		{name: "a path alone", text: "/l/firehol_level1.netset",
			want: feed.Source{List: reputation.List{Name: "firehol_level1"}, Path: "/l/firehol_level1.netset"}},
		{name: "a path with a comma and an equals sign", text: "name=x,path=/l/a=b,c.txt",
			want: feed.Source{List: reputation.List{Name: "x"}, Path: "/l/a=b,c.txt"}},
		{name: "allow", text: "/l/office.txt", allow: true,
			want: feed.Source{List: reputation.List{Name: "allow", Score: 100, Allow: true}, Path: "/l/office.txt"}},
		{name: "allow with a name", text: "name=office,path=/l/o", allow: true,
			want: feed.Source{List: reputation.List{Name: "office", Score: 100, Allow: true}, Path: "/l/o"}},
		{name: "a URL", text: "name=x,url=https://a.example/b,checksum=https://a.example/b.sha256,path=/l/b",
			want: feed.Source{List: reputation.List{Name: "x"}, Path: "/l/b", Optional: true, URL: "https://a.example/b", Checksum: "https://a.example/b.sha256"}},
		{name: "no URL", text: "url=a.example,path=/l/b", err: `url is "a.example": write a URL such as https://lists.example/drop.txt`},
		{name: "a checksum alone", text: "checksum=https://a.example/b,path=/l/b", err: `checksum without url: write url, too`},
		{name: "empty", text: "", err: `empty path`},
		{name: "no path", text: "name=tor,score=20", err: `no path: write name=tor,score=20,path=/path/to/file`},
		{name: "empty path", text: "name=tor,path=", err: `empty path`},
		{name: "path not last", text: "path=/l/a", want: feed.Source{List: reputation.List{Name: "a"}, Path: "/l/a"}},
		{name: "score", text: "score=bad,path=/l/a", err: `score is "bad": write a number from 0 (listed) to 100 (clean)`},
		{name: "score over 100", text: "score=101,path=/l/a", err: `score is "101": write a number from 0 (listed) to 100 (clean)`},
		{name: "score of an allow list", text: "score=5,path=/l/a", allow: true, err: `an allow list has no score: it is always 100`},
		{name: "unknown key", text: "nmae=x,path=/l/a", err: `unknown key "nmae": there are name, score, optional, url, checksum and path, the last one last`},
		{name: "name", text: "name=a b,path=/l/a", err: `list name "a b": use up to 64 letters, digits, '.', '_' and '-' (name=...)`},
		{name: "name from the file", text: "/l/my list.txt", err: `list name "my list": use up to 64 letters, digits, '.', '_' and '-' (name=...)`},
		{name: "optional", text: "optional=perhaps,path=/l/a", err: `optional is "perhaps": write true or false`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := feed.ParseSource(tt.text, tt.allow)
			if tt.err != "" {
				require.EqualError(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}
