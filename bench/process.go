package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// stopTime is how long the server may take to end.
const stopTime = 30 * time.Second

// process is the server as it is delivered, in a process of its own.
type process struct {
	command *exec.Cmd
	address string
}

// build makes the binary in a directory and returns its path.
func build(ctx context.Context, directory string) (string, error) {
	binary := filepath.Join(directory, "tasktide")
	command := exec.CommandContext(ctx, "go", "build", "-ldflags", "-s -w", "-o", binary, "./cmd/tasktide") //nolint:gosec // our own file
	command.Dir = ".."
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("the server cannot be built: %w: %s", err, said)
	}
	return binary, nil
}

// start has a server serve a database on a loopback address.
func start(ctx context.Context, binary, databaseURL string) (*process, error) {
	arguments := []string{"serve", "--migrate", "--listen", "127.0.0.1:0", "--rate-limit", "0", "--database-url", databaseURL}
	command := exec.CommandContext(ctx, binary, arguments...) //nolint:gosec // built above
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.Stderr = os.Stderr // what the server has to complain about
	command.WaitDelay = stopTime
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := command.Start(); err != nil {
		return nil, err
	}
	p := &process{command: command}
	if p.address, err = addressOf(output); err != nil {
		return nil, errors.Join(err, p.stop())
	}
	return p, nil
}

// stop ends the server, which finishes what it is at.
func (p *process) stop() error {
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.command.Wait()
}

// addressOf finds where the server says that it serves, and lets it go on talking.
func addressOf(output io.Reader) (string, error) {
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		for word := range strings.FieldsSeq(lines.Text()) {
			if strings.HasPrefix(word, "http://") {
				return word, nil
			}
		}
	}
	return "", errors.Join(errors.New("the server ended before it served"), lines.Err())
}
