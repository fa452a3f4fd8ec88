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
