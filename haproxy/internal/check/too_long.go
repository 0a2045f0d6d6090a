package check

import (
	"fmt"
	"slices"

	"github.com/spoke-go/spoke/haproxy/internal/samples"
	"github.com/spoke-go/spoke/haproxy/internal/syntax"
)

// maxRewrite is the part of a buffer, in bytes, that HAProxy leaves free when it reads
// a request: the default of tune.maxrewrite.
const maxRewrite = 1024

// tooLong returns why a request can be too long for a message, or "". HAProxy from 3.1
// on does not send such a message. A frame is as long as a buffer by default, so it can
// hold each part of a request once.
func (c *checker) tooLong(in *syntax.Section) string {
	if c.before(3, 1) {
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
				return fmt.Sprintf("the message %q has %s, and max-frame-size is %d bytes. HAProxy 3.1 and later do not send a longer message.", m.Name, a.Fetch, c.engine.MaxFrameSize)
			}
			for _, b := range m.Args[:i] {
				if samples.Share(a.Fetch, b.Fetch) {
					return fmt.Sprintf("the message %q has %s and %s, and a frame can hold their common part only once. HAProxy 3.1 and later do not send a longer message.", m.Name, b.Fetch, a.Fetch)
				}
			}
		}
	}
	return ""
}
