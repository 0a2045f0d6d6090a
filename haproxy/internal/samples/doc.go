// Package samples knows HAProxy's samples and converters: their types, and the
// events on which HAProxy has them.
package samples
