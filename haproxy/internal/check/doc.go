// Package check compares HAProxy's configuration with an agent.
package check
