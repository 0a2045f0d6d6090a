// Package syntax reads HAProxy's configuration language: words, lines, sections,
// .if branches, SPOE files, times and sizes.
package syntax
