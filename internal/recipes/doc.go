// Package recipes starts the programs of examples/ behind HAProxy, from the files that are
// shipped, for tests of the documentation and of visitors' requests.
package recipes
