package session

import "time"

// Config bounds a session of a browser: part of the settings of an agent on package service.
type Config struct {
	Lifetime time.Duration `min:"1s" help:"how long after its login a session ends"`
	Idle     time.Duration `min:"1s" help:"how long after its last request a session ends"`
	Refresh  time.Duration `min:"1s" help:"how often the provider must confirm a session, if it gave a refresh token; while the provider is down, a session lasts that much longer"`
}

// Defaults returns the settings to start from.
func Defaults() Config {
	return Config{Lifetime: 12 * time.Hour, Idle: time.Hour, Refresh: 10 * time.Minute}
}
