package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
	sizes "tasktide/internal/workload"
)

// rolled is a workload summed up from nothing.
type rolled struct {
	size     string
	database testdb.Kind
	rows     int64
	took     time.Duration
}

func (r rolled) perSecond() float64 { return float64(r.rows) / r.took.Seconds() }

// rollUpLimit is how long a workload may take to be summed up: one that takes longer does so because a
// database has chosen a bad plan, and nobody wants to wait for the rest.
const rollUpLimit = time.Hour / 2

// timeRollUp sums up all that is not summed up yet, which is one workload.
func (r *readSide) timeRollUp(ctx context.Context, b *bed, p *population) error {
	runtime.GC()
	before, _ := b.rollUp.Rolled()
	begun := time.Now()
	limited, cancel := context.WithTimeout(ctx, rollUpLimit)
	defer cancel()
	if err := b.rollUp.Pass(limited); err != nil {
		return fmt.Errorf("%s, %s after %s: %w", names[b.kind], p.name, time.Since(begun).Round(time.Second), err)
	}
	took := time.Since(begun)
	after, _ := b.rollUp.Rolled()
	if after-before != p.rows {
		return fmt.Errorf("%s: %d rows were summed up, and %d are there", names[b.kind], after-before, p.rows)
	}
	one := rolled{p.name, b.kind, p.rows, took}
	r.page.rollUps = append(r.page.rollUps, one)
	if _, err := fmt.Fprintf(r.progress, "%s: %s summed up in %s, %s rows a second\n", p.name, names[b.kind],
		took.Round(time.Millisecond), thousands(int64(one.perSecond()))); err != nil {
		return err
	}
	return b.settle(ctx)
}

// rebuilt is one hour summed up again.
type rebuilt struct {
	size string
	rows int64 // of the hour
}

const rebuildFigure = "one hour made again"

// rebuildHour marks an hour in the middle of a workload, as it is marked when something is written into each
// of its minutes, and times until its cells are made again.
func (r *readSide) rebuildHour(ctx context.Context, p *population) error {
	size, err := sizes.ParseSize(p.name)
	if err != nil {
		return err
	}
	from := end.Add(-size.Span / 2).Truncate(time.Hour).UnixMicro()
	minutes := make([]int64, 60)
	for i := range minutes {
		minutes[i] = from + int64(i)*time.Minute.Microseconds()
	}
	took := make([]timing, len(r.beds))
	for range r.rounds + 1 {
		for i, b := range r.beds {
			workflow := p.workflow[b.kind]
			err := b.store.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error { return tx.AddMarks(ctx, workflow, minutes) })
			if err != nil {
				return err
			}
			runtime.GC()
			before, _ := b.rollUp.Rolled()
			begun := time.Now()
			if err := b.rollUp.Pass(ctx); err != nil {
				return err
			}
			took[i] = append(took[i], time.Since(begun))
			after, _ := b.rollUp.Rolled()
			r.page.rebuilt = rebuilt{p.name, after - before}
		}
	}
	for i, b := range r.beds {
		took[i] = took[i][1:] // the first one reads what was not in memory
		r.page.times[figure{rebuildFigure, names[b.kind]}] = took[i]
		if _, err := fmt.Fprintf(r.progress, "%s: %s %s\n", rebuildFigure, names[b.kind], took[i]); err != nil {
			return err
		}
	}
	return nil
}
