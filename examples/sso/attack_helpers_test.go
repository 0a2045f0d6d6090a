package main_test

import (
	"regexp"
	"strings"
)

func regexpQuote(s string) *regexp.Regexp { return regexp.MustCompile(regexp.QuoteMeta(s)) }

func port(site string) string { return site[strings.LastIndexByte(site, ':')+1:] }
