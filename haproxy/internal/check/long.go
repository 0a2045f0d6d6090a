package check

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// maxRewrite is how much of a buffer HAProxy leaves free when it reads a request, in
// bytes: tune.maxrewrite by default.
const maxRewrite = 1024

// tooLong returns why a request of a proxy can be too long for a message, which HAProxy
// from 3.1 on does not send then; or "". A frame is as long as a buffer by default, so
// it can hold each part of a request once.
func (c *checker) tooLong(in *syntax.Section) string {
	if c.fragments {
		return ""
	}
	size, _, _ := bufsize(c.cfg, nil)
	small := c.engine.MaxFrameSize > 0 && c.engine.MaxFrameSize < size-maxRewrite
	for _, m := range c.engine.Messages {
		if !slices.ContainsFunc(c.sendings(m), func(s sending) bool {
			return s.stage <= syntax.StageServerSession && !elsewhere(s.proxy, in)
		}) {
			continue
		}
		for i, a := range m.Args {
			if small && len(samples.Parts(a.Fetch)) > 0 {
				return fmt.Sprintf("the message %q has %s, and max-frame-size is %d bytes. From 3.1 on HAProxy does not send what is longer.", m.Name, a.Fetch, c.engine.MaxFrameSize)
			}
			for _, b := range m.Args[:i] {
				if samples.Share(a.Fetch, b.Fetch) {
					return fmt.Sprintf("the message %q has %s and %s, and a frame can hold their common part once. From 3.1 on HAProxy does not send a longer message.", m.Name, b.Fetch, a.Fetch)
				}
			}
		}
	}
	return ""
}
