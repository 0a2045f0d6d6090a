// Package fetch keeps files up to date with the URLs that they come from. A file is
// replaced only by a whole answer that is good in itself, so the last good one stays on
// disk; the server is asked whether there is another one (ETag, Last-Modified).
package fetch
