// Package rules compiles the rules of an application, from text, from files, and from the
// Core Rule Set inside the program, and runs transactions by them.
package rules
