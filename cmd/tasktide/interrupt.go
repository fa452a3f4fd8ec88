package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"reflect"
	"syscall"

	"github.com/alecthomas/kong"

	"tasktide/internal/jobmon"
)

// interruption is the cause of a context that a signal cancelled.
type interruption struct{ signal syscall.Signal }

func (i interruption) Error() string { return i.signal.String() + " signal received" }

// exitCode is what a shell reports for a process that the signal ended.
func (i interruption) exitCode() int { return 128 + int(i.signal) }

// untilInterrupted returns a context that the first SIGINT or SIGTERM cancels, with an [interruption] as its cause.
// The second one ends the process.
func untilInterrupted(parent context.Context) context.Context {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		first, _ := (<-signals).(syscall.Signal)
		signal.Stop(signals) // the default action of the second signal is to end the process
		cancel(interruption{first})
	}()
	return ctx
}

// interruptible is a command that says what it did, and what it did not do, when a signal interrupts it: one
// sentence without a full stop, or "" for a command that is meant to run until then. Every command that takes a
// context is interruptible.
type interruptible interface {
	interrupted() string
}

// wasInterrupted reports whether a command failed because a signal cancelled ctx. An error that is about something
// else, such as defects that were found, is the command's result, whatever came after it.
func wasInterrupted(ctx context.Context, err error) (interruption, bool) {
	var by interruption
	if err == nil || !errors.As(context.Cause(ctx), &by) {
		return by, false
	}
	switch jobmon.ErrorCode(err) {
	case jobmon.CodeUnavailable, jobmon.CodeInternal: // drivers have many errors for a call that was cut off
		return by, true
	default:
		return by, errors.Is(err, context.Canceled)
	}
}

// interruptedSentence returns what the command that was called says about its interruption, and "" when ending it
// is the way to end it.
func interruptedSentence(called *kong.Context) string {
	command, ok := reflect.TypeAssert[interruptible](called.Selected().Target.Addr())
	if !ok {
		return "interrupted"
	}
	if sentence := command.interrupted(); sentence != "" {
		return "interrupted: " + sentence
	}
	return ""
}
