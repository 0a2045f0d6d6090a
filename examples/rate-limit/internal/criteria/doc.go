// Package criteria has the criteria of limits: parts of a request that distinguish clients,
// and patterns of paths.
package criteria
