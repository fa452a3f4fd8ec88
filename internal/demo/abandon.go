package demo

import (
	"context"
	"time"

	"tasktide/internal/jobmon"
)

// Abandon drives one workflow as [Simulator.Run] does, and ends its run in an error after a while, in which it is not
// done yet: what is active then stays so, since nobody is left who would move it on. It returns nil too when ctx
// ends before.
func Abandon(ctx context.Context, config Config, after time.Duration) error {
	s := NewSimulator(config)
	bound, err := s.bind(ctx, 1)
	if err == nil {
		playing, stop := context.WithTimeout(ctx, after)
		defer stop()
		if err = newLiveRun(s, bound).play(playing); playing.Err() != nil {
			err = s.updateRun(ctx, bound.runID, jobmon.RunError)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}
