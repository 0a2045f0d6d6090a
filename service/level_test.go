package service_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/spoke-go/spoke/service"
)

func TestLineLevel(t *testing.T) {
	assert.Equal(t, slog.LevelInfo, service.LineLevel(true))
	assert.Equal(t, slog.LevelDebug, service.LineLevel(false))
}
