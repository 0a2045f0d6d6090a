// Package deploy has the files with which an agent is run in production: a unit and a
// socket for systemd, a Dockerfile, manifests for Kubernetes, alert rules for Prometheus
// and a dashboard for Grafana.
package deploy

import (
	"embed"
	"fmt"
	"strings"
)

// Names are the names of the files.
var Names = []string{"unit", "socket", "dockerfile", "kubernetes", "alerts", "dashboard"}

//go:embed files
var files embed.FS

// placeholder stands for the agent's name in the files.
const placeholder = "AGENT"

// Print returns one of Names for an agent.
func Print(name, agent string) (string, error) {
	text, err := files.ReadFile("files/" + name)
	if err != nil {
		return "", fmt.Errorf("%q is unknown: write one of %s", name, strings.Join(Names, ", "))
	}
	return strings.ReplaceAll(string(text), placeholder, agent), nil
}
