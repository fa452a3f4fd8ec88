package main

import (
	"context"
	"fmt"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
	sizes "tasktide/internal/workload"
)

// A live workflow is workload S up to now, and from a minute before now to some minutes after it a stream
// of tasks of half a minute. It is stored ahead of time; since nothing counts before it happens, it looks as
// if it were being written at that rate, without a writer that would take its turns in the middle of ours.
const (
	liveAhead  = 4 * time.Minute
	liveBehind = time.Minute
	liveLife   = 30 * time.Second
	// liveAtLeast is how long is read, and then up to the end of the minute and liveLag more: the roll-up of
	// a server gets to a minute about a second after its end, so that is when most is read row by row.
	liveAtLeast = 20 * time.Second
	liveLag     = 1500 * time.Millisecond
	liveEvery   = 200 * time.Millisecond

	isLive   = ", live"
	isClosed = ", closed"
)

func liveRates() []int { return []int{50, 1000} }

func liveFigure(rate int) string { return fmt.Sprintf("24 h @ 1 min at %d transitions/s", rate) }

// liveReading is a live workflow in one database.
type liveReading struct {
	bed            *bed
	rate           int
	live, closed   timeline.Request
	tookLive, took timing
}

// measureLive times charts of the 24 hours that end now, while tasks move, beside charts of 24 hours that
// are over.
func (r *readSide) measureLive(ctx context.Context) error {
	begun := time.Now()
	small, err := sizes.ParseSize("S")
	if err != nil {
		return err
	}
	var all []*liveReading
	for _, rate := range liveRates() {
		history := small.List(seed, begun.Add(-liveBehind).UnixMicro())[0].Histories()
		pace := time.Second * time.Duration(len(path)) / time.Duration(rate)
		tasks := int((liveAhead + liveBehind) / pace)
		moving := stream(evenly(begun.Add(-liveBehind).UnixMicro(), pace), liveLife, tasks)
		ids, err := r.storeStream(ctx, liveFigure(rate), func(yield func(jobmon.TaskHistory) bool) {
			for task := range history {
				if !yield(task) {
					return
				}
			}
			moving(yield)
		})
		if err != nil {
			return err
		}
		until := begun.Truncate(time.Minute)
		for i, b := range r.beds {
			request := timeline.Request{
				WorkflowID: ids[i], Bucket: time.Minute.Microseconds(), Statuses: concurrency.Of(jobmon.TaskRunning),
			}
			l := &liveReading{bed: b, rate: rate, live: request, closed: request}
			l.live.Last = day
			l.closed.Start, l.closed.End = until.Add(-day).UnixMicro(), new(until.UnixMicro())
			all = append(all, l)
		}
	}
	for _, b := range r.beds {
		if err := b.rollUp.Pass(ctx); err != nil {
			return err
		}
		if err := b.settle(ctx); err != nil {
			return err
		}
	}
	if err := r.readLive(ctx, all, begun.Add(liveAhead)); err != nil {
		return err
	}
	for _, l := range all {
		who := names[l.bed.kind]
		r.page.times[figure{liveFigure(l.rate), who + isLive}] = l.tookLive
		r.page.times[figure{liveFigure(l.rate), who + isClosed}] = l.took
		if _, err := fmt.Fprintf(r.progress, "%s: %s live %s, closed %s\n", liveFigure(l.rate), who, l.tookLive, l.took); err != nil {
			return err
		}
	}
	return nil
}

// readLive reads charts until a minute has ended, but for a while.
func (r *readSide) readLive(ctx context.Context, all []*liveReading, before time.Time) error {
	rest := time.NewTicker(liveEvery)
	defer rest.Stop()
	begun := time.Now()
	boundary := begun.Truncate(time.Minute).Add(time.Minute)
	for {
		for _, l := range all {
			for _, one := range []struct {
				request timeline.Request
				took    *timing
			}{{l.closed, &l.took}, {l.live, &l.tookLive}} {
				asked := time.Now()
				if _, err := l.bed.line.Concurrency(ctx, one.request); err != nil {
					return err
				}
				*one.took = append(*one.took, time.Since(asked))
			}
		}
		now := time.Now()
		if now.After(before) {
			return fmt.Errorf("after %s the tasks that were stored ahead have all moved: the machine is too slow for this", liveAhead)
		}
		if now.After(boundary.Add(liveLag)) {
			if now.Sub(begun) >= liveAtLeast {
				return nil
			}
			boundary = boundary.Add(time.Minute)
			for _, b := range r.beds {
				if err := b.rollUp.Pass(ctx); err != nil {
					return err
				}
			}
		}
		select {
		case <-rest.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
