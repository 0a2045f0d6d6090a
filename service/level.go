package service

import "log/slog"

// LineLevel returns the level of lines about single requests, which are too many for most
// logs: Info if a setting of the agent's wants them, otherwise Debug.
func LineLevel(wanted bool) slog.Level {
	if wanted {
		return slog.LevelInfo
	}
	return slog.LevelDebug
}
