package crs

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"

	"github.com/corazawaf/coraza-coreruleset/v4/tests"
	"go.yaml.in/yaml/v3"
)

// Test is one test of the suite: the request that it sends, and the expected hits.
type Test struct {
	Name    string // 942100-1
	Request []byte
	Output
}

// Output is the expected outcome.
type Output struct {
	Status      int  `yaml:"status"` // 0: any
	ExpectError bool `yaml:"expect_error"`
	Log         struct {
		ExpectIDs    []int  `yaml:"expect_ids"`
		NoExpectIDs  []int  `yaml:"no_expect_ids"`
		MatchRegex   string `yaml:"match_regex"`
		NoMatchRegex string `yaml:"no_match_regex"`
	} `yaml:"log"`
}

// input is a request as the suite describes it.
type input struct {
	Method              *string   `yaml:"method"`
	URI                 *string   `yaml:"uri"`
	Version             *string   `yaml:"version"`
	Headers             yaml.Node `yaml:"headers"` // in their order
	Data                string    `yaml:"data"`
	EncodedData         string    `yaml:"encoded_data"`
	EncodedRequest      string    `yaml:"encoded_request"`
	AutocompleteHeaders *bool     `yaml:"autocomplete_headers"`
}

// Load returns the tests of the suite inside the rule set's module.
func Load() (all []Test, err error) {
	err = fs.WalkDir(tests.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		b, err := fs.ReadFile(tests.FS, path)
		if err != nil {
			return err
		}
		found, err := parse(b)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, found...)
		return nil
	})
	return all, err
}

func parse(b []byte) (all []Test, err error) {
	var file struct {
		RuleID int `yaml:"rule_id"`
		Tests  []struct {
			ID     int `yaml:"test_id"`
			Stages []struct {
				Input  input
				Output Output
			}
		}
	}
	if err := yaml.Unmarshal(b, &file); err != nil {
		return nil, err
	}
	for _, t := range file.Tests {
		for i, s := range t.Stages {
			name := fmt.Sprintf("%d-%d", file.RuleID, t.ID)
			if i > 0 {
				name += fmt.Sprintf("-%d", i+1)
			}
			request, err := s.Input.bytes()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			all = append(all, Test{Name: name, Request: request, Output: s.Output})
		}
	}
	return all, nil
}

// bytes returns the request as it is sent. Headers that the suite leaves to the sender
// are added behind the others.
func (in *input) bytes() ([]byte, error) {
	if in.EncodedRequest != "" {
		return base64.StdEncoding.DecodeString(strings.Join(strings.Fields(in.EncodedRequest), ""))
	}
	data := in.Data
	if in.EncodedData != "" {
		b, err := base64.StdEncoding.DecodeString(in.EncodedData)
		if err != nil {
			return nil, err
		}
		data = string(b)
	}
	data = expand(data)
	complete := in.AutocompleteHeaders == nil || *in.AutocompleteHeaders
	method := or(in.Method, "GET")
	head := method + " " + or(in.URI, "/") + " " + or(in.Version, "HTTP/1.1") + "\r\n"
	has := make(map[string]string)
	for i := 0; i+1 < len(in.Headers.Content); i += 2 {
		name, value := in.Headers.Content[i].Value, in.Headers.Content[i+1].Value
		has[strings.ToLower(name)] = value
		head += name + ": " + value + "\r\n"
	}
	add := func(name, value string) {
		if _, ok := has[strings.ToLower(name)]; !ok && complete {
			has[strings.ToLower(name)] = value
			head += name + ": " + value + "\r\n"
		}
	}
	if data != "" {
		add("Content-Type", "application/x-www-form-urlencoded")
		if complete && has["content-type"] == "application/x-www-form-urlencoded" {
			data = escapeForm(data)
		}
	}
	if strings.HasPrefix(has["content-type"], "multipart/form-data;") {
		data = strings.ReplaceAll(data, "\n", "\r\n")
	}
	add("Connection", "close")
	if data != "" || strings.HasPrefix(method, "POST") || method == "PUT" || method == "PATCH" || method == "DELETE" {
		add("Content-Length", fmt.Sprint(len(data)))
	}
	return []byte(head + "\r\n" + data), nil
}

func or(s *string, otherwise string) string {
	if s == nil {
		return otherwise
	}
	return *s
}

// repeated matches the only template of the suite: {{ "1" | repeat 152 }}.
var repeated = regexp.MustCompile(`\{\{ "(.*)" \| repeat (\d+) \}\}`)

func expand(data string) string {
	return repeated.ReplaceAllStringFunc(data, func(template string) string {
		m := repeated.FindStringSubmatch(template)
		n, _ := strconv.Atoi(m[2])
		return strings.Repeat(m[1], n)
	})
}
