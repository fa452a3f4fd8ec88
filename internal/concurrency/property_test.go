package concurrency_test

import (
	"cmp"
	"math/big"
	"slices"
	"testing"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// count runs the engine on the scenario and fails the test on an error.
func count(t rapid.TB, s scenario) concurrency.Result {
	t.Helper()
	result, err := concurrency.Count(s.window, s.set(), s.series, s.now, s.changes())
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// same fails the test unless two answers are equal.
func same(t rapid.TB, what string, want, got any) {
	t.Helper()
	if d := diff.Diff(want, got); d != "" {
		t.Fatalf("%s (-want +got):\n%s", what, d)
	}
}

func TestEngineAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		same(t, "engine and oracle differ", s.answer(), count(t, s))
	})
}

// Invariant 1 of counting.
func TestSeriesAddUpToTheTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := count(t, scenarios().Draw(t, "scenario"))
		for i := range r.Window.Count {
			var start, entered, area, sumOfPeaks, highest int64
			for _, series := range r.Series {
				start += series.Start[i]
				entered += series.Entered[i]
				area += series.Area[i]
				sumOfPeaks += series.Peak[i]
				highest = max(highest, series.Peak[i])
			}
			same(t, "starts, entries and areas add", []int64{start, entered, area},
				[]int64{r.Total.Start[i], r.Total.Entered[i], r.Total.Area[i]})
			if peak := r.Total.Peak[i]; peak < highest || peak > sumOfPeaks {
				t.Fatalf("bucket %d: total's peak %d, highest peak %d, sum of peaks %d", i, peak, highest, sumOfPeaks)
			}
		}
	})
}

// Invariant 2.
func TestMeansMakeUpTheTaskSeconds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		r := count(t, s)
		for i, series := range append(slices.Clone(r.Series), r.Total) {
			if i == len(r.Series) {
				i = everySeries
			}
			micros := s.taskMicros(i, s.window.Start, min(s.window.End(), s.now))
			want, _ := new(big.Rat).SetFrac64(micros, 1e6).Float64()
			same(t, "task-seconds", want, series.TaskSeconds())

			var sum int64
			for b, area := range series.Area {
				sum += area
				from := s.window.Start + int64(b)*s.window.Bucket
				var elapsed int64
				if s.now > from {
					elapsed = min(s.now, from+s.window.Bucket) - from
				}
				same(t, "elapsed", elapsed, r.Elapsed(b))
				if elapsed == 0 {
					same(t, "mean where nothing has elapsed", series.Start[b]*100, r.MeanHundredths(series, b))
					continue
				}
				exact := new(big.Rat).SetFrac64(area, elapsed)
				off := new(big.Rat).Sub(exact, new(big.Rat).SetFrac64(r.MeanHundredths(series, b), 100))
				if off.Abs(off).Cmp(big.NewRat(1, 200)) > 0 {
					t.Fatalf("bucket %d: mean %s is given as %d hundredths", b, exact, r.MeanHundredths(series, b))
				}
			}
			same(t, "sum of areas", micros, sum)
		}
	})
}

// Invariant 3, within one width.
func TestMeanAndStartStayBelowThePeak(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := count(t, scenarios().Draw(t, "scenario"))
		for _, series := range append(slices.Clone(r.Series), r.Total) {
			for i, peak := range series.Peak {
				mean := r.MeanHundredths(series, i)
				if mean < 0 || mean > peak*100 || series.Start[i] < 0 || series.Start[i] > peak {
					t.Fatalf("bucket %d: start %d, mean %d hundredths, peak %d", i, series.Start[i], mean, peak)
				}
				if at := series.PeakAt[i] - r.Window.BucketStart(i); at < 0 || at >= r.Window.Bucket {
					t.Fatalf("bucket %d: its peak is %d after its start", i, at)
				}
			}
		}
	})
}

// Invariant 3, across widths.
func TestCoarserBucketsSummariseFinerOnes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		k := rapid.IntRange(1, 5).Draw(t, "finer buckets in a coarser one")
		s.window.Count = s.window.Count / k * k
		fine := count(t, s)
		s.window.Bucket *= int64(k)
		s.window.Count /= k
		coarse := count(t, s)
		for n, series := range append(slices.Clone(fine.Series), fine.Total) {
			want := concurrency.Series{
				Start: []int64{}, Peak: []int64{}, PeakAt: []int64{}, Entered: []int64{}, Area: []int64{},
				WindowPeak: series.WindowPeak, WindowPeakAt: series.WindowPeakAt,
			}
			for i := 0; i < fine.Window.Count; i += k {
				peak, at := series.Peak[i], series.PeakAt[i]
				var entered, area int64
				for j := i; j < i+k; j++ {
					if series.Peak[j] > peak {
						peak, at = series.Peak[j], series.PeakAt[j]
					}
					entered += series.Entered[j]
					area += series.Area[j]
				}
				want.Start = append(want.Start, series.Start[i])
				want.Peak = append(want.Peak, peak)
				want.PeakAt = append(want.PeakAt, at)
				want.Entered = append(want.Entered, entered)
				want.Area = append(want.Area, area)
			}
			same(t, "coarser series", want, append(slices.Clone(coarse.Series), coarse.Total)[n])
		}
	})
}

// Invariant 4: the order of arrival, one batch or many. What the window begins with may be told as
// rows or as sums.
func TestOrderOfArrivalDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		want := count(t, s)

		changes := s.changes()
		before := slices.Clone(changes)
		again, err := concurrency.Count(s.window, s.set(), s.series, s.now, changes)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "the same rows again", want, again)
		same(t, "the caller's rows", before, changes)

		shuffled := rapid.Permutation(changes).Draw(t, "order of arrival")
		slices.SortStableFunc(shuffled, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) })
		sweep := concurrency.NewSweep(s.window, s.set(), s.series, s.now)
		for _, c := range shuffled {
			// A caller carries the past only as far as it is known.
			past := c.At < s.window.Start && c.At <= s.now
			if past && rapid.Bool().Draw(t, "carry") {
				err = sweep.Carry(c.Series, c.From, c.To, 1)
			} else {
				err = sweep.Add(c)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		same(t, "in another order, partly carried", want, sweep.Result())
		same(t, "the result asked for twice", want, sweep.Result())
	})
}

// Invariant 5.
func TestHistoryBeforeTheWindowDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		s.now = max(s.now, s.window.Start)
		want := count(t, s)

		forgotten := s
		forgotten.tasks = nil
		for _, task := range s.tasks {
			rest := slices.IndexFunc(task.steps, func(step step) bool { return step.at >= s.window.Start })
			if rest < 0 {
				rest = len(task.steps)
			}
			if rest > 0 { // retention left only what the task was in when the window began
				long := rapid.Int64Range(1, 1e15).Draw(t, "how long before")
				kept := []step{{at: s.window.Start - long, to: task.steps[rest-1].to}}
				task.steps = append(kept, task.steps[rest:]...)
			}
			forgotten.tasks = append(forgotten.tasks, task)
		}
		same(t, "without the history before the window", want, count(t, forgotten))

		// A day of tasks that are over before the window begins.
		earlier := s
		earlier.tasks = slices.Clone(s.tasks)
		for range 20 {
			at := s.window.Start - rapid.Int64Range(2, 86_400_000_000).Draw(t, "earlier run")
			earlier.tasks = append(earlier.tasks, task{steps: []step{
				{at: at, to: jobmon.TaskRunning}, {at: at + 1, to: jobmon.TaskErrorRecoverable},
				{at: at + 1, to: jobmon.TaskRunning}, {at: s.window.Start},
			}})
		}
		same(t, "with more history before the window", want, count(t, earlier))
	})
}

// Invariant 6: whole chains give no defect, which the oracle's answers say too; a broken one is told.
func TestBrokenChainsAreReported(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		changes := s.changes()
		lost := rapid.IntRange(0, len(changes)).Draw(t, "rows lost")
		changes = changes[lost:]

		instants := []int64{s.window.Start}
		for _, c := range changes {
			if s.window.Start < c.At && c.At < s.window.End() {
				instants = append(instants, c.At)
			}
		}
		slices.Sort(instants)
		var want []concurrency.Defect
		reported := map[int]bool{}
		for _, at := range instants {
			for series := range s.series {
				var level int64
				for _, c := range changes {
					if c.Series != series || c.At > at {
						continue
					}
					if s.counts(c.From) {
						level--
					}
					if s.counts(c.To) {
						level++
					}
				}
				if level < 0 && at <= s.now && s.window.Count > 0 && !reported[series] {
					reported[series] = true
					want = append(want, concurrency.Defect{Series: series, At: at, Level: level})
				}
			}
		}
		got, err := concurrency.Count(s.window, s.set(), s.series, s.now, changes)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "defects", want, got.Defects)
	})
}

// Invariant 7: a scheduler that starts the next task at the very instant another ends never seems to
// exceed its limit.
func TestNoPeakExceedsAnEnforcedLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 5).Draw(t, "limit")
		lengths := rapid.SliceOfN(rapid.Int64Range(0, 30), 1, 40).Draw(t, "lengths")
		free := make([]int64, limit) // when each place is free again
		s := scenario{
			window: concurrency.Window{Start: 0, Bucket: 10, Count: 130}, series: 3, now: never,
			statuses: concurrency.Active.Statuses(), shuffle: rapid.Uint64().Draw(t, "shuffle"),
		}
		for i, length := range lengths {
			place := slices.Index(free, slices.Min(free))
			queued := free[place]
			free[place] += length
			s.tasks = append(s.tasks, task{series: i % s.series, steps: []step{
				{at: 0, to: jobmon.TaskRegistering},
				{at: queued, to: jobmon.TaskQueued},
				{at: queued + length/3, to: jobmon.TaskInstantiating},
				{at: queued + length/2, to: jobmon.TaskRunning},
				{at: queued + length, to: jobmon.TaskDone},
			}})
		}
		r := count(t, s)
		if r.Total.WindowPeak > int64(limit) {
			t.Fatalf("%d active at %d, limit %d", r.Total.WindowPeak, r.Total.WindowPeakAt, limit)
		}
		same(t, "entries", int64(len(lengths)), sum(r.Total.Entered))
	})
}

// Invariant 8, and levels add over statuses.
func TestTasksListedInAStatusAreItsLevel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		union := s.statuses
		at := s.window.Start + rapid.Int64Range(-5, 200).Draw(t, "instant")*max(1, s.window.Bucket/8)
		s.window, s.now = concurrency.Window{Start: at, Bucket: 1, Count: 1}, at
		var added int64
		for _, status := range jobmon.TaskStatuses() {
			s.statuses = []jobmon.TaskStatus{status}
			level := count(t, s).Total.Start[0]
			var listed int64
			for _, task := range s.tasks {
				if statusAt(task, at) == status {
					listed++
				}
			}
			same(t, status.Name(), listed, level)
			if slices.Contains(union, status) {
				added += level
			}
		}
		s.statuses = union
		same(t, "level of the union", added, count(t, s).Total.Start[0])
	})
}

// What is not yet known does not change what is.
func TestThePastDoesNotChangeAsTimeGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		s.now = s.window.Start + rapid.Int64Range(-2, s.window.Bucket*int64(s.window.Count)+2).Draw(t, "now")
		early := count(t, s)

		known := slices.DeleteFunc(s.changes(), func(c concurrency.Change) bool { return c.At > s.now })
		without, err := concurrency.Count(s.window, s.set(), s.series, s.now, known)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "without the rows after now", without, early)

		s.now = never
		late := count(t, s)
		for i := range s.window.Count {
			if early.Elapsed(i) < s.window.Bucket {
				break
			}
			same(t, "a bucket that is over",
				[]int64{late.Total.Start[i], late.Total.Peak[i], late.Total.PeakAt[i], late.Total.Entered[i], late.Total.Area[i]},
				[]int64{early.Total.Start[i], early.Total.Peak[i], early.Total.PeakAt[i], early.Total.Entered[i], early.Total.Area[i]})
		}
	})
}

func TestAlignCoversTheSpanWithWholeBuckets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := rapid.Int64Range(-1e15, 1e15).Draw(t, "start")
		length := rapid.Int64Range(1, 1e10).Draw(t, "length")
		bucket := rapid.Int64Range(1e3, 1e11).Draw(t, "bucket")
		w := concurrency.Align(start, start+length, bucket)
		if w.Start%bucket != 0 || w.Bucket != bucket {
			t.Fatalf("%+v is not aligned", w)
		}
		if w.Start > start || w.Start+bucket <= start || w.End() < start+length || w.End()-bucket >= start+length {
			t.Fatalf("%+v is not the smallest window over [%d, %d)", w, start, start+length)
		}
	})
}

func sum(numbers []int64) (total int64) {
	for _, n := range numbers {
		total += n
	}
	return total
}
