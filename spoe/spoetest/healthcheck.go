package spoetest

import (
	"context"
	"fmt"

	"github.com/spoke-go/spoke/codec"
)

// HealthCheck does what `option spop-check` does: a hello with healthcheck set
// and no capabilities. It returns the agent's answer, and fails if there is
// none, if another frame follows it, or if the agent then does not close.
func HealthCheck(ctx context.Context, network, addr string) (codec.AgentHello, error) {
	return new(Dialer).HealthCheck(ctx, network, addr)
}

// HealthCheck is the function HealthCheck with the Dialer's settings but for
// its Hello.
func (d *Dialer) HealthCheck(ctx context.Context, network, addr string) (codec.AgentHello, error) {
	c, err := d.Connect(ctx, network, addr)
	if err != nil {
		return codec.AgentHello{}, err
	}
	defer c.Close()
	return c.HealthCheck(ctx)
}

// HealthCheck is the function HealthCheck on a connection on which nothing was
// sent yet.
func (c *Client) HealthCheck(ctx context.Context) (codec.AgentHello, error) {
	h, err := c.Handshake(ctx, HealthCheckHello())
	if err != nil {
		return h, err
	}
	frames, err := c.Drain(ctx)
	switch {
	case len(frames) > 0:
		return h, fmt.Errorf("spoetest: health check: %v after the AGENT-HELLO, want the end", frames[0].Type)
	case err != nil:
		return h, fmt.Errorf("spoetest: health check: the agent did not close after its AGENT-HELLO: %w", err)
	}
	return h, nil
}

// HealthCheckHello returns the hello of a health check.
func HealthCheckHello() Hello {
	return Hello{SupportedVersions: codec.Version, MaxFrameSize: 16380, Healthcheck: true}
}
