//go:build unix

package service_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/spoke-go/spoke/service"
	"github.com/spoke-go/spoke/service/servicetest"
)

// The first SIGTERM ends a program that waits for a secret from a pipe.
func TestSignalEndsReadingOfSecrets(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "token")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	errs, ended := servicetest.NewBuffer(), make(chan int, 1)
	go func() {
		ended <- newAgent().Run(ctx, service.Process{Args: []string{"-listen", "127.0.0.1:0", "-admin-token", "file:" + pipe}, Stdout: errs, Stderr: errs})
	}()
	f, err := os.OpenFile(pipe, os.O_WRONLY, 0) // returns when the program opens it
	require.NoError(t, err)
	defer f.Close()
	cancel()
	select {
	case status := <-ended:
		assert.Equal(t, 2, status)
		assert.Contains(t, errs.String(), "interrupted while reading")
	case <-time.After(servicetest.Patience):
		t.Fatal("the program goes on reading")
	}
}
