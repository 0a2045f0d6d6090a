package codec_test

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/codec"
)

type loop struct {
	Next *loop `spoe:"next"`
}

// TestRegistrationErrors holds the texts that people read when a handler's
// types are wrong.
func TestRegistrationErrors(t *testing.T) {
	field := func(typ any, tag string) reflect.Type {
		return reflect.StructOf([]reflect.StructField{{Name: "F", Type: reflect.TypeOf(typ), Tag: reflect.StructTag(tag)}})
	}
	type unexported struct {
		//lint:ignore U1000 it is the mistake
		f int `spoe:"f"`
	}
	type twice struct {
		A int `spoe:"x"`
		B int `spoe:"x"`
	}
	type twicePos struct {
		A int `spoe:",pos=0"`
		B int `spoe:"b,pos=0"`
	}
	type twiceNested struct {
		A int `spoe:"x.y"`
		B struct {
			C int `spoe:"y"`
		} `spoe:"x"`
	}
	tests := []struct {
		name, dir string
		typ       reflect.Type
		want      string
	}{
		{"no struct", "in", reflect.TypeFor[int](), `codec: int cannot be bound; use a struct or a pointer to one`},
		{"nil", "in", nil, `codec: <nil> cannot be bound; use a struct or a pointer to one`},
		{"unknown option", "in", field(0, `spoe:"f,requred"`), `F: unknown option "requred"; use required, default=…, pos=…, json, secret or strict`},
		{"result's option", "in", field(0, `spoe:"f,omitempty"`), `F: unknown option "omitempty"; use required, default=…, pos=…, json, secret or strict`},
		{"twice the option", "in", field(0, `spoe:"f,json,json"`), `F: the option "json" is there twice; leave one out`},
		{"required and default", "in", field(0, `spoe:"f,required,default=1"`), `F: required and default contradict each other; leave one out`},
		{"bad default", "in", field(int8(0), `spoe:"f,default=128"`), `F: the default "128" cannot be bound to int8, which wants an integer from -128 to 127; change it`},
		{"bad pos", "in", field(0, `spoe:"f,pos=255"`), `F: pos=255 is no position; write 0 for the message's first argument, up to 254`},
		{"long pos", "in", field(0, `spoe:"f,pos=4294967296"`), `F: pos=4294967296 is no position`},
		{"hexadecimal pos", "in", field(0, `spoe:"f,pos=1a"`), `F: pos=1a is no position`},
		{"unknown option with a value", "in", field(0, `spoe:"f,position=1"`), `F: unknown option "position=1"; use required`},
		{"pos alone", "in", field(0, `spoe:"f,pos"`), `F: unknown option "pos"; use required`},
		{"open quote", "in", field(0, `spoe:"f,default='1"`), `F: a single quote that is not closed; close it`},
		{"no name", "in", field(0, `spoe:",required"`), `F: the tag names no argument; write its name, or pos=0 for a first argument without one`},
		{"bad name", "in", field(0, `spoe:"a b"`), `F: "a b" is no name of an argument in HAProxy's configuration; use letters, digits, '-', '_' and '.'`},
		{"name with =", "in", field(0, `spoe:"a=b"`), `F: "a=b" is no name of an argument in HAProxy's configuration; use letters, digits, '-', '_' and '.'`},
		{"name with DEL", "in", field(0, `spoe:"a\x7f"`), `F: "a\x7f" is no name of an argument in HAProxy's configuration; use letters, digits, '-', '_' and '.'`},
		{"no quotes", "in", field(0, `spoe:f`), "F: the tag spoe:f cannot be read; write `spoe:\"name,option\"`"},
		{"channel", "in", field(make(chan int), `spoe:"f"`), `F: no argument can be bound to chan int; use a bool, an integer, a float, a string, []byte, an address, a slice of these, give it UnmarshalSPOE or UnmarshalText, or add json`},
		{"json channel", "in", field(make(chan int), `spoe:"f,json"`), `F: no argument can be bound to chan int; use a bool, an integer, a float, a string, []byte, an address, a slice of these, give it UnmarshalSPOE or UnmarshalText, or add json`},
		{"pointer to pointer", "in", field(new(*int), `spoe:"f"`), `F: no argument can be bound to **int; use a bool, an integer, a float, a string, []byte, an address, a slice of these, give it UnmarshalSPOE or UnmarshalText, or add json`},
		{"nested options", "in", field(struct{}{}, `spoe:"f,required"`), `F: options on a nested struct, which takes a prefix alone; put them on its fields, or bind it whole with json`},
		{"nested empty", "in", field(struct{}{}, `spoe:""`), `F: a nested struct with an empty prefix; name one, or remove the tag`},
		{"unexported", "in", reflect.TypeFor[unexported](), `codec: field codec_test.unexported.f: the field has a tag but is not exported; export it, or remove the tag`},
		{"unexported nested", "in", reflect.TypeFor[struct {
			f tlsInfo `spoe:"f"`
		}](), `f: the field has a tag but is not exported; export it, or remove the tag`},
		{"unexported embedded", "in", reflect.TypeFor[struct {
			hidden `spoe:"f"`
		}](), `hidden: the field has a tag but is not exported; export it, or remove the tag`},
		{"twice", "in", reflect.TypeFor[twice](), `codec: field codec_test.twice.B: argument "x" is bound to the field A already; rename one`},
		{"twice by position", "in", reflect.TypeFor[twicePos](), `codec: field codec_test.twicePos.B: position 0 is bound to the field A already; change one`},
		{"twice, nested", "in", reflect.TypeFor[twiceNested](), `codec: field codec_test.twiceNested.B.C: argument "x.y" is bound to the field A already; rename one`},
		{"fetch alone", "in", field(0, `fetch:"src"`), "F: the tag fetch is without a tag spoe, so no argument is fetched; write `spoe:\"name\" fetch:\"src\"`"},
		{"fetch without quotes", "in", field(0, `spoe:"f" fetch:src`), "F: the tag spoe:\"f\" fetch:src cannot be read; write `fetch:\"src\"`"},
		{"empty fetch", "in", field(0, `spoe:"f" fetch:" "`), "F: the tag fetch is empty; write the sample that follows \"args name=\" in HAProxy's configuration, such as `fetch:\"src\"`"},
		{"fetch of two lines", "in", field(0, `spoe:"f" fetch:"src\n"`), `F: the tag fetch has the control character '\n'; write one line, as HAProxy's configuration has it behind "args name="`},
		{"fetch with DEL", "in", field(0, `spoe:"f" fetch:"src\x7f"`), `F: the tag fetch has the control character '\x7f'; write one line, as HAProxy's configuration has it behind "args name="`},
		{"fetch of a nested struct", "in", field(struct{}{}, `spoe:"f" fetch:"src"`), `F: the tag fetch is on a nested struct, which is no argument; put it on its fields, or bind it whole with json`},
		{"slice of slices", "in", field([][]string{}, `spoe:"f"`), `F: no argument can be bound to [][]string; use`},
		{"slice with a default", "in", field([]string{}, `spoe:"f,default=a"`), `F: a slice has no default; leave it out`},
		{"problems with a tag", "in", field(codec.Problems{}, `spoe:"f"`), `F: a field of type codec.Problems takes no argument; remove the tag`},
		{"problems twice", "in", reflect.TypeFor[struct{ F, G codec.Problems }](), `G: a second field of type codec.Problems; remove one`},
		{"problems behind a pointer", "in", reflect.TypeFor[struct{ *WithProblems }](), `WithProblems.P: a field of type codec.Problems is behind a pointer; put it into the outer struct`},
		{"loop", "in", reflect.TypeFor[loop](), "codec: field codec_test.loop.Next: the struct contains itself; leave it out with `spoe:\"-\"`"},

		{"no struct", "out", reflect.TypeFor[[]int](), `codec: []int cannot be bound; use a struct or a pointer to one`},
		{"unknown option", "out", field(0, `spoe:"f,session"`), `F: unknown option "session"; use a scope (proc, sess, txn, req, res), omitempty, unset, json, secret or max=…`},
		{"argument's option", "out", field(0, `spoe:"f,required"`), `F: unknown option "required"; use a scope (proc, sess, txn, req, res), omitempty, unset, json, secret or max=…`},
		{"two scopes", "out", field(0, `spoe:"f,sess,txn"`), `F: a second scope, "txn"; a variable has one`},
		{"no name", "out", field(0, `spoe:",sess"`), `F: the tag names no variable; write its name first`},
		{"bad name", "out", field(0, `spoe:"a-b"`), `F: variable "a-b": HAProxy refuses the character '-'; use letters, digits, '.' and '_'`},
		{"twice", "out", reflect.TypeFor[twice](), `codec: field codec_test.twice.B: variable txn.x is set by the field A already; rename one`},
		{"unset", "out", field(0, `spoe:"f,unset"`), `F: int is never without a value, so unset has no meaning; use a pointer, or remove unset`},
		{"fetch", "out", field(0, `spoe:"f" fetch:"src"`), `F: the tag fetch is for arguments, and this field sets a variable; remove it`},
		{"pattern of no map", "out", field("", `spoe:"f_*"`), `F: a name that ends with '*' is for a map with string keys, and string is none; change the type or the name`},
		{"pattern of JSON", "out", field(map[string]string{}, `spoe:"f_*,json"`), `F: a name that ends with '*' is for a map with string keys`},
		{"pattern of everything", "out", field(map[string]string{}, `spoe:"*"`), `F: the pattern * stands for every variable; write a beginning, such as claim_*`},
		{"pattern of a bad name", "out", field(map[string]string{}, `spoe:"a-*"`), `F: variable "a-": HAProxy refuses the character '-'`},
		{"pattern of functions", "out", field(map[string]func(){}, `spoe:"f_*"`), `F: no variable can be made of func(); use a map of`},
		{"pattern with omitempty", "out", field(map[string]string{}, `spoe:"f_*,omitempty"`), `F: unset and omitempty have no meaning for a pattern`},
		{"max of one variable", "out", field("", `spoe:"f,max=3"`), `F: max is for a name that ends with '*'; remove it`},
		{"least max of one variable", "out", field("", `spoe:"f,max=1"`), `F: max is for a name that ends with '*'; remove it`},
		{"max of none", "out", field(map[string]string{}, `spoe:"f_*,max=0"`), `F: max=0 is no number of variables; write one from 1 on`},
		{"max of too many", "out", field(map[string]string{}, `spoe:"f_*,max=65536"`), `F: max=65536 is no number of variables; write one from 1 on`},
		{"max alone", "out", field(map[string]string{}, `spoe:"f_*,max"`), `F: unknown option "max"; use a scope`},
		{"option with a value", "out", field("", `spoe:"f,omitempty=1"`), `F: unknown option "omitempty=1"; use a scope`},
		{"pattern over a variable", "out", reflect.TypeFor[struct {
			A string            `spoe:"f_a"`
			F map[string]string `spoe:"f_*"`
		}](), `F: variable txn.f_* is set by the field A already; rename one`},
		{"variable under a pattern", "out", reflect.TypeFor[struct {
			A map[string]string `spoe:"f_*"`
			F string            `spoe:"f_a"`
		}](), `F: variable txn.f_a is set by the field A already; rename one`},
		{"pattern over a pattern", "out", reflect.TypeFor[struct {
			A map[string]string `spoe:"f_a_*"`
			F map[string]string `spoe:"f_*"`
		}](), `F: variable txn.f_* is set by the field A already; rename one`},
		{"func", "out", field(func() {}, `spoe:"f"`), `F: no variable can be made of func(); use a bool, an integer, a float, a string, []byte, an address, give it MarshalSPOE or MarshalText, or add json`},
		{"json func", "out", field(func() {}, `spoe:"f,json"`), `F: no variable can be made of func(); use a bool, an integer, a float, a string, []byte, an address, give it MarshalSPOE or MarshalText, or add json`},
	}
	for _, test := range tests {
		t.Run(test.dir+" "+test.name, func(t *testing.T) {
			var err error
			if test.dir == "in" {
				_, err = codec.DecoderOf(test.typ)
			} else {
				_, err = codec.EncoderOf(test.typ)
			}
			require.Error(t, err)
			assert.Contains(t, err.Error(), test.want)
			if test.want[0] == 'F' {
				assert.Contains(t, err.Error(), "codec: field "+test.typ.String()+".F: ")
			}
		})
	}
}

func TestTooManyFields(t *testing.T) {
	var fields []reflect.StructField
	for i := range 256 {
		name := "A" + string(rune('a'+i%16)) + string(rune('a'+i/16))
		fields = append(fields, reflect.StructField{Name: name, Type: reflect.TypeFor[int](), Tag: reflect.StructTag(`spoe:"` + name + `"`)})
	}
	_, err := codec.DecoderOf(reflect.StructOf(fields))
	assert.ErrorContains(t, err, "256 fields with a tag, a message has at most 255 arguments; split it")
}

func TestDecoderFields(t *testing.T) {
	type in struct {
		IP    *int   `spoe:"ip,required" fetch:"src"`
		Token string `spoe:"token,secret,default=x,pos=10" fetch:"req.cook(a b)"`
		TLS   struct {
			SNI string `spoe:"sni"`
		} `spoe:"tls"`
		Body map[string]int `spoe:"body,json"`
		Peer *struct {
			Cert struct {
				CN string `spoe:"cn"`
			} `spoe:"cert"`
		} `spoe:"peer"`
		First struct {
			F string `spoe:",pos=0"`
		} `spoe:"first"`
		// Fields that are passed over: no tag says that they take an argument.
		Plain *Base
		base  Base //lint:ignore U1000 it is there to be passed over
		_     hidden
	}
	texts := []codec.Type{codec.TypeString, codec.TypeBinary}
	assert.Equal(t, []codec.FieldInfo{
		{Name: "ip", Pos: -1, Field: "IP", Type: reflect.TypeFor[*int](), Required: true, Types: []codec.Type{codec.TypeInt32, codec.TypeUint32, codec.TypeInt64, codec.TypeUint64}, Fetch: "src"},
		{Name: "token", Pos: 10, Field: "Token", Type: reflect.TypeFor[string](), Default: "x", HasDefault: true, Secret: true, Types: texts, Fetch: "req.cook(a b)"},
		{Name: "tls.sni", Pos: -1, Field: "TLS.SNI", Type: reflect.TypeFor[string](), Types: texts},
		{Name: "body", Pos: -1, Field: "Body", Type: reflect.TypeFor[map[string]int](), JSON: true, Types: texts},
		{Name: "peer.cert.cn", Pos: -1, Field: "Peer.Cert.CN", Group: "Peer", Type: reflect.TypeFor[string](), Types: texts},
		{Pos: 0, Field: "First.F", Type: reflect.TypeFor[string](), Types: texts},
	}, decoderFor[in](t).Fields())
	assert.Same(t, decoderFor[in](t), decoderFor[*in](t))
}

func TestEncoderFields(t *testing.T) {
	assert.Equal(t, []codec.VarInfo{
		{Name: "ip_score", Scope: codec.ScopeSession, Field: "Score", Type: reflect.TypeFor[int](), Types: []codec.Type{codec.TypeInt64}},
		{Name: "ip_list", Scope: codec.ScopeSession, Field: "List", Type: reflect.TypeFor[string](), Types: []codec.Type{codec.TypeString}, OmitEmpty: true},
	}, encoderFor[verdict](t).Fields())
	assert.Same(t, encoderFor[verdict](t), encoderFor[*verdict](t))
}

type WithProblems struct{ P codec.Problems }

// hidden is a type that is no struct.
type hidden int

// TestDefaultQuotes: single quotes around a default hold commas and are not a part of it.
func TestDefaultQuotes(t *testing.T) {
	type in struct {
		A string `spoe:"a,default=''"`
		B string `spoe:"b,default='x,y'"`
		C string `spoe:"c,default=x'y'"`
		D string `spoe:"d,default='x'y"`
	}
	got, err := decode[in](t)
	require.NoError(t, err)
	assert.Equal(t, in{"", "x,y", "x'y'", "'x'y"}, got)
}

func TestMaxOfPattern(t *testing.T) {
	type out struct {
		A map[string]string `spoe:"a_*,max=10"`
		B map[string]string `spoe:"b_*,max=65535"`
	}
	fields := encoderFor[out](t).Fields()
	assert.Equal(t, 10, fields[0].Max)
	assert.Equal(t, 65535, fields[1].Max)
}
