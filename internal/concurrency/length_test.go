package concurrency_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// How long runs took is told from cells of minutes, merged or not, as far off as is stated and no further.
func TestQuantilesOfRunsLieWithinTheirError(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const width, count, series = 1000, 8, 3
		runs := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) concurrency.Change {
			// Of every order of magnitude, down to none and back in time, which no row tells.
			exponent := rapid.IntRange(0, 61).Draw(t, "exponent")
			length := rapid.Int64Range(0, 1<<exponent).Draw(t, "length")
			at := rapid.Int64Range(0, width*count-1).Draw(t, "at")
			return concurrency.Change{
				At: at, Since: at - length, Series: rapid.IntRange(0, series-1).Draw(t, "series"),
				From: rapid.SampledFrom([]jobmon.TaskStatus{'R', 'R', 'R', 'O'}).Draw(t, "from"),
				To:   rapid.SampledFrom([]jobmon.TaskStatus{'D', 'D', 'D', 'E'}).Draw(t, "to"),
			}
		}), 0, 60).Draw(t, "runs")
		slices.SortStableFunc(runs, func(a, b concurrency.Change) int { return int(a.At - b.At) })

		// In one block, in another order of the series, and all of it in one cell of a second one.
		fine, coarse := concurrency.NewBlock(width, count), concurrency.NewBlock(width*count, 1)
		for cell := range int64(count) {
			entries := built(t, runs, cell*width, (cell+1)*width)[len(levels)]
			for i, e := range entries {
				of, class := concurrency.Runs.Of(int64(e.Series))
				entries[i].Series = fine.Index(concurrency.Runs.Series(70-of, class))
			}
			fine.Put(int(cell), entries)
		}
		if err := coarse.Sum(0, fine, 0, count); err != nil {
			t.Fatal(err)
		}
		for _, block := range []*concurrency.Block{fine, coarse} {
			var got [series]concurrency.Lengths
			for cell := range count {
				if block == coarse && cell > 0 {
					break
				}
				entries, err := block.Append(nil, cell)
				if err != nil {
					t.Fatal(err)
				}
				for _, e := range entries {
					of, class := concurrency.Runs.Of(block.Series()[e.Series])
					got[70-of].Add(class, e.Entered)
				}
			}
			for i := range got {
				compareLengths(t, &got[i], lengthsOf(runs, i), rapid.Float64Range(0.000_001, 1).Draw(t, "share"))
			}
		}
	})
}

func lengthsOf(runs []concurrency.Change, series int) (lengths []int64) {
	for _, run := range runs {
		if run.Series == series && run.From == jobmon.TaskRunning && run.To == jobmon.TaskDone {
			lengths = append(lengths, run.At-run.Since)
		}
	}
	slices.Sort(lengths)
	return lengths
}

func compareLengths(t *rapid.T, got *concurrency.Lengths, want []int64, share float64) {
	t.Helper()
	if got.Count() != int64(len(want)) {
		t.Fatalf("%d runs, want %d", got.Count(), len(want))
	}
	for _, share := range []float64{share, 0.5, 0.99, 1} {
		length, ok := got.Quantile(share)
		if ok != (len(want) > 0) {
			t.Fatalf("a quantile of %d runs: %d, %t", len(want), length, ok)
		}
		if !ok {
			continue
		}
		exact := want[int(math.Ceil(share*float64(len(want))))-1]
		if off := math.Abs(float64(length - exact)); off > concurrency.LengthError*float64(exact) {
			t.Fatalf("quantile %v is %d, want %d: off by %v of it", share, length, exact, off/float64(exact))
		}
	}
}

func TestALengthBelowZeroCountsAsZero(t *testing.T) {
	entries := built(t, []concurrency.Change{{At: 5, Since: 9, From: jobmon.TaskRunning, To: jobmon.TaskDone}}, 0, 10)[len(levels)]
	if len(entries) != 1 || entries[0].Entered != 1 {
		t.Fatalf("entries %+v", entries)
	}
	if _, class := concurrency.Runs.Of(int64(entries[0].Series)); class != 0 {
		t.Errorf("class %d", class)
	}
}
