package service

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// The functions in this file do nothing unless systemd, or another manager with its
// protocol (sd_notify(3)), started the program.

func (p *program[C]) notifyReady()    { p.notify(daemon.SdNotifyReady) }
func (p *program[C]) notifyStopping() { p.notify(daemon.SdNotifyStopping) }

// notifyReloading is for Type=notify-reload, which needs the time of the reload.
func (p *program[C]) notifyReloading() {
	p.notify(daemon.SdNotifyReloading + "\n" + daemon.SdNotifyMonotonicUsec())
}

func (p *program[C]) notify(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		p.log.Warn("systemd cannot be notified", "error", err)
	}
}

// watchdog reports to systemd that the program is alive, twice in each WatchdogSec,
// until ctx ends.
func (p *program[C]) watchdog(ctx context.Context) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		p.log.Warn("no watchdog", "error", err)
	}
	if interval == 0 {
		return
	}
	tick := time.NewTicker(interval / 2)
	defer tick.Stop()
	for {
		p.notify(daemon.SdNotifyWatchdog)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
