// Package show writes frames as a person reads them, and as JSON.
package show
