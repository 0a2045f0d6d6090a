package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

const bindingPage = "binding.md"

// bind binds v to a strict field of the type and returns what the field holds.
func bind(t *testing.T, g goType, v codec.Value) (any, error) {
	t.Helper()
	st := g.structType(",strict")
	dec, err := codec.DecoderOf(st)
	require.NoError(t, err, g)
	dst := reflect.New(st)
	err = dec.Decode("", codec.NewArgs(codec.AppendArg(nil, "f", v), 1), dst.Interface())
	return dst.Elem().Field(0).Interface(), err
}

// bindLeniently is bind without strict; problem reports whether the struct has one.
func bindLeniently(t *testing.T, g goType, v codec.Value) (got any, problem bool) {
	t.Helper()
	f := g.structType("").Field(0)
	st := reflect.StructOf([]reflect.StructField{f, {Name: "Problems", Type: reflect.TypeFor[codec.Problems]()}})
	dec, err := codec.DecoderOf(st)
	require.NoError(t, err, g)
	dst := reflect.New(st)
	require.NoError(t, dec.Decode("", codec.NewArgs(codec.AppendArg(nil, "f", v), 1), dst.Interface()))
	return dst.Elem().Field(0).Interface(), dst.Elem().Field(1).Len() > 0
}

func argumentTable(t *testing.T) string {
	var b strings.Builder
	cols := columns()
	head := []string{"Go type"}
	for _, c := range cols {
		head = append(head, c.typ.String())
	}
	writeHead(&b, head)
	for _, g := range goTypes {
		cells := []string{g.String()}
		var takes []codec.Type
		for _, c := range cols {
			cell := cell(t, g, c)
			cells = append(cells, cell)
			if c.typ != codec.TypeNull && cell != "–" {
				takes = append(takes, c.typ)
			}
		}
		writeRow(&b, cells)
		dec, err := codec.DecoderOf(g.structType(""))
		require.NoError(t, err)
		says := dec.Fields()[0].Types
		if g.typ == reflect.TypeFor[netip.Prefix]() {
			assert.Subset(t, says, takes) // it could take the text of any value, but none of these fits
			continue
		}
		assert.ElementsMatch(t, says, takes, "what the codec says that %v takes", g)
	}
	return b.String()
}

func cell(t *testing.T, g goType, c column) string {
	if c.typ == codec.TypeNull {
		got, err := bind(t, g, codec.Value{})
		require.NoError(t, err)
		require.True(t, got == nil || reflect.ValueOf(got).IsZero(), g)
		switch g.typ.Kind() {
		case reflect.Slice, reflect.Map, reflect.Interface:
			return "nil"
		}
		return "zero"
	}
	taken := 0
	for _, v := range c.values {
		if _, err := bind(t, g, v); err == nil {
			taken++
		}
	}
	switch taken {
	case 0:
		return "–"
	case len(c.values):
		return "✓"
	}
	return "fits"
}

func exampleTable(t *testing.T) string {
	var b strings.Builder
	writeHead(&b, []string{"Go type", "argument", "field"})
	for _, g := range goTypes {
		for _, v := range g.examples {
			_, err := bind(t, g, v)
			got, problem := bindLeniently(t, g, v)
			require.Equal(t, err != nil, problem, "%v from %v: what strict refuses is a problem", g, v)
			result := "`" + shownGo(got) + "`"
			if problem {
				result += ", *problem*"
			}
			writeRow(&b, []string{g.String(), "`" + shownSPOP(v) + "`", result})
		}
	}
	return b.String()
}

func variableTable(t *testing.T) string {
	var b strings.Builder
	writeHead(&b, []string{"Go type", "sent as", "for example", "`unset`"})
	for _, g := range goTypes {
		if g.argument {
			continue
		}
		enc, err := codec.EncoderOf(g.structType(""))
		require.NoError(t, err)
		var types, examples []string
		for _, typ := range enc.Fields()[0].Types {
			types = append(types, typ.String())
		}
		if len(types) > 2 {
			types = []string{"the value's own type"}
		}
		for _, v := range g.values {
			v, sent := encode(t, g, enc, v)
			examples = append(examples, "`"+shownGo(v)+"` → `"+shownSPOP(sent)+"`")
			if len(types) > 1 || types[0] != "the value's own type" {
				assert.Contains(t, types, sent.Type().String(), g)
			}
		}
		unset := ""
		if _, err := codec.EncoderOf(g.structType(",unset")); err == nil {
			unset = "yes"
		}
		writeRow(&b, []string{g.String(), strings.Join(types, ", "), strings.Join(examples, "<br>"), unset})

		// The page's sentence on omitempty.
		omit, err := codec.EncoderOf(g.structType(",omitempty"))
		require.NoError(t, err)
		none, err := omit.Append(nil, reflect.New(g.structType(",omitempty")).Interface())
		require.NoError(t, err)
		assert.Empty(t, none, "%v with omitempty", g)
	}
	return b.String()
}

func encode(t *testing.T, g goType, enc *codec.Encoder, v any) (any, codec.Value) {
	src := reflect.New(g.structType(""))
	src.Elem().Field(0).Set(reflect.ValueOf(v))
	raw, err := enc.Append(nil, src.Interface())
	require.NoError(t, err)
	acts, err := codec.ParseActions(raw)
	require.NoError(t, err)
	for a := range slices.Values(acts) {
		return v, a.Value
	}
	t.Fatalf("%v has no action", v)
	return nil, codec.Value{}
}

func shownSPOP(v codec.Value) string {
	switch v.Type() {
	case codec.TypeString, codec.TypeBinary:
		return fmt.Sprintf("%v %q", v.Type(), v.Bytes())
	}
	return v.Type().String() + " " + v.String()
}

func shownGo(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case []byte:
		return fmt.Sprintf("[]byte(%q)", v)
	case codec.Value:
		return shownSPOP(v)
	case codec.HeaderBlock:
		var pairs []string
		for name, value := range v.All() {
			pairs = append(pairs, fmt.Sprintf("%s: %q", name, value))
		}
		return strings.Join(pairs, ", ")
	case time.Time:
		return v.Format(time.RFC3339)
	case point:
		b, _ := json.Marshal(v)
		return "point" + string(b)
	}
	return strings.ReplaceAll(fmt.Sprint(v), "\x00", `\x00`)
}

func writeHead(b *strings.Builder, cells []string) {
	writeRow(b, cells)
	writeRow(b, slices.Repeat([]string{"---"}, len(cells)))
}

func writeRow(b *strings.Builder, cells []string) {
	b.WriteString("| " + strings.Join(cells, " | ") + " |\n")
}

// TestBindingTables generates the tables and compares them with the page.
func TestBindingTables(t *testing.T) {
	page, err := os.ReadFile(bindingPage)
	require.NoError(t, err)
	want := page
	for name, table := range map[string]string{
		"arguments": argumentTable(t), "examples": exampleTable(t), "variables": variableTable(t),
	} {
		between := regexp.MustCompile(`(?s)(<!-- table: ` + name + ` -->\n).*?(<!-- end of table -->)`)
		require.True(t, between.Match(want), name)
		want = between.ReplaceAll(want, []byte("${1}\n"+strings.ReplaceAll(table, "$", "$$")+"\n${2}"))
	}
	if *update {
		require.NoError(t, os.WriteFile(bindingPage, want, 0o644))
		page = want
	}
	assert.True(t, bytes.Equal(want, page), "the tables of %s are not what the code does: run go test ./internal/doctest -update and see what has changed", bindingPage)
}

// TestBindingOptions: the page names the options that the code knows, no more
// and no less.
func TestBindingOptions(t *testing.T) {
	page, err := os.ReadFile(bindingPage)
	require.NoError(t, err)
	wrong := reflect.StructOf([]reflect.StructField{{Name: "F", Type: reflect.TypeFor[int](), Tag: `spoe:"f,?"`}})
	_, inErr := codec.DecoderOf(wrong)
	_, outErr := codec.EncoderOf(wrong)
	for section, err := range map[string]error{"arguments": inErr, "variables": outErr} {
		require.ErrorContains(t, err, `unknown option "?"; use `)
		_, known, _ := strings.Cut(err.Error(), "; use ")
		known = strings.NewReplacer("a scope (", "", ")", "").Replace(known)
		_, table, ok := strings.Cut(string(page), "<!-- options: "+section+" -->\n\n")
		require.True(t, ok)
		table, _, _ = strings.Cut(table, "\n\n")
		var documented []string
		for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(table, -1) {
			documented = append(documented, m[1])
		}
		assert.ElementsMatch(t, regexp.MustCompile(`, | or `).Split(known, -1), documented, section)
	}
}

type Common struct {
	ID string `spoe:"id"`
}

// structs is the struct of the page.
type structs struct {
	Common
	Client struct {
		IP netip.Addr `spoe:"ip"`
	}
	TLS struct {
		SNI string `spoe:"sni"`
	} `spoe:"tls"`
	Geo *struct {
		Country string `spoe:"country,required"`
		City    string `spoe:"city"`
	} `spoe:"geo"`
}

// TestBindingStructs: the page's struct binds the names in its comments, and a nested
// pointer behaves as they say.
func TestBindingStructs(t *testing.T) {
	page := blocks(t, bindingPage)
	i := slices.IndexFunc(page, func(b block) bool { return b.what == "structs" })
	var told, bound []string
	for _, m := range regexp.MustCompile(`// "([^"]+)"`).FindAllStringSubmatch(page[i].text, -1) {
		told = append(told, m[1])
	}
	dec, err := codec.DecoderOf(reflect.TypeFor[structs]())
	require.NoError(t, err)
	for _, f := range dec.Fields() {
		bound = append(bound, f.Name)
	}
	assert.Equal(t, bound, told)

	var s structs
	require.NoError(t, codec.Unmarshal(codec.NewArgs(codec.AppendArg(nil, "id", str("1")), 1), &s))
	assert.Nil(t, s.Geo)
	err = codec.Unmarshal(codec.NewArgs(codec.AppendArg(nil, "geo.city", str("Berlin")), 1), &s)
	assert.ErrorContains(t, err, `"geo.country" is missing`)
}

type request struct {
	Headers  http.Header `spoe:"headers" fetch:"req.hdrs_bin"`
	Age      int         `spoe:"age"`
	Problems codec.Problems
}

// TestBindingProblems: the page's struct is the one of this test, and the claims about it
// hold for the header that HAProxy 2.6 lets pass.
func TestBindingProblems(t *testing.T) {
	page := blocks(t, bindingPage)
	i := slices.IndexFunc(page, func(b block) bool { return b.what == "problems" })
	require.GreaterOrEqual(t, i, 0)
	text := strings.Join(strings.Fields(page[i].text), " ")
	typ := reflect.TypeFor[request]()
	for i := range typ.NumField() {
		f := typ.Field(i)
		line := f.Name + " " + f.Type.String()
		if f.Tag != "" {
			line += " `" + string(f.Tag) + "`"
		}
		assert.Contains(t, text, line)
	}
	var r request
	args := codec.AppendArg(nil, "headers", codec.Binary([]byte("\x03X-A\x03a\x00b\x00\x00")))
	require.NoError(t, codec.Unmarshal(codec.NewArgs(args, 1), &r))
	assert.Equal(t, http.Header{"X-A": {"a\x00b"}}, r.Headers)
	assert.NotNil(t, r.Problems.Of("headers"))
	assert.Nil(t, r.Problems.Of("age"))
}
