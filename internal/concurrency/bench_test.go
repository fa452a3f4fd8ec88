package concurrency_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// busyDay returns the changes of tasks tasks in 20 series over a day, six each, in order.
func busyDay(tasks int) []concurrency.Change {
	const second = 1_000_000
	random := rand.New(rand.NewPCG(1, 2))
	changes := make([]concurrency.Change, 0, 6*tasks)
	for i := range tasks {
		at := random.Int64N(86_400 * second)
		var from jobmon.TaskStatus
		for _, to := range "GQIORD" {
			changes = append(changes, concurrency.Change{At: at, Series: i % 20, From: from, To: jobmon.TaskStatus(to)})
			from = jobmon.TaskStatus(to)
			at += random.Int64N(600 * second)
		}
	}
	slices.SortFunc(changes, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) })
	return changes
}

// BenchmarkSweep counts 600,000 changes of 20 series in 1,440 buckets.
func BenchmarkSweep(b *testing.B) {
	changes := busyDay(100_000)
	window := concurrency.Window{Bucket: 60_000_000, Count: 1440}
	for _, counted := range []struct {
		name string
		set  concurrency.StatusSet
	}{
		{"RUNNING", concurrency.Of(jobmon.TaskRunning)},
		{"ACTIVE", concurrency.Active},
		{"all", concurrency.All},
	} {
		b.Run(counted.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sweep := concurrency.NewSweep(window, counted.set, 20, never)
				for _, c := range changes {
					if err := sweep.Add(c); err != nil {
						b.Fatal(err)
					}
				}
				sweep.Result()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(changes)), "ns/change")
		})
	}
}

const (
	minute = 60_000_000
	hour   = 60 * minute
	day    = 24 * hour
)

// blockOf makes the block of RUNNING of a day of changes, and returns it with its number of entries.
func blockOf(changes []concurrency.Change, width int64) (block *concurrency.Block, count, entries int) {
	const running = 4 // the index of R
	count = int(day / width)
	block = concurrency.NewBlock(width, count)
	for series := range int64(60) {
		block.Index(1_000_000 + series)
	}
	for i := range count {
		builder := concurrency.NewBuilder(int64(i)*width, width)
		for len(changes) > 0 && changes[0].At < int64(i+1)*width {
			if err := builder.Add(changes[0]); err != nil {
				panic(err)
			}
			changes = changes[1:]
		}
		cells := builder.Entries(running)
		entries += len(cells)
		block.Put(i, cells)
	}
	return block, count, entries
}

// runs returns the changes of n runs in 60 series over a day, of up to ten minutes each, in order.
func runs(n int) []concurrency.Change {
	random := rand.New(rand.NewPCG(3, 4))
	changes := make([]concurrency.Change, 0, 2*n)
	for i := range n {
		from := random.Int64N(day)
		changes = append(changes, run(i%60, from, from+random.Int64N(10*minute))...)
	}
	slices.SortFunc(changes, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) })
	return changes
}

// denseHours is a day of hours in which every series runs hundreds of tasks.
func denseHours() (block *concurrency.Block, count, entries int) { return blockOf(runs(500_000), hour) }

// BenchmarkCells reads 1,440 cells of each of 61 series, and counts them in as many buckets. Beside, it
// measures how long cells are, stored.
func BenchmarkCells(b *testing.B) {
	const series = 60
	b.Run("reading and counting", func(b *testing.B) {
		block, count, cells := blockOf(runs(2_000_000), minute)
		if cells != 1440*(series+1) {
			b.Fatalf("%d cells are not dense", cells)
		}
		window := concurrency.Window{Bucket: minute, Count: count}
		var entries []concurrency.Entry
		b.ReportAllocs()
		for b.Loop() {
			sweep := concurrency.NewSweep(window, concurrency.Of(jobmon.TaskRunning), series, never)
			for i := range count {
				var err error
				if entries, err = block.Append(entries[:0], i); err != nil {
					b.Fatal(err)
				}
				if err = sweep.AddCells(int64(i)*minute, minute, entries); err != nil {
					b.Fatal(err)
				}
			}
			sweep.Result()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(cells), "ns/cell")
	})
	for _, stored := range []struct {
		name string
		make func() (*concurrency.Block, int, int)
	}{
		{"dense hours", denseHours},
		{"sparse minutes", func() (*concurrency.Block, int, int) { return blockOf(runs(4_000), minute) }},
	} {
		b.Run(stored.name, func(b *testing.B) {
			block, count, cells := stored.make()
			width := int64(day / count)
			data := block.Encode()
			for b.Loop() {
				if _, err := concurrency.DecodeBlock(block.Encode(), width, count); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(data))/float64(cells), "B/cell")
			b.ReportMetric(float64(cells), "cells")
		})
	}
}
