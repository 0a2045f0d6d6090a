// Package criteria has the criteria of limits: parts of a request that tell clients apart,
// and patterns of paths.
package criteria
