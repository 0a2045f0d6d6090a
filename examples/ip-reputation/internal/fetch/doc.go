// Package fetch keeps files up to date with their URLs. Only a complete and valid
// answer replaces a file, so the last good one stays on disk. A request asks the server
// whether the file changed (ETag, Last-Modified).
package fetch
