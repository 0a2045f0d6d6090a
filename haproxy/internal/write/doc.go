// Package write writes the SPOE file, the agents' backend and the frontend's lines
// for an agent.
package write
