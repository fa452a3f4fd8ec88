package concurrency_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// run is one run of a task: RUNNING during [from, to).
func run(series int, from, to int64) []concurrency.Change {
	return []concurrency.Change{
		{At: from, Series: series, From: jobmon.TaskLaunched, To: jobmon.TaskRunning},
		{At: to, Series: series, From: jobmon.TaskRunning, To: jobmon.TaskDone},
	}
}

// open is a run that has not ended.
func open(series int, from int64) []concurrency.Change { return run(series, from, 0)[:1] }

// The examples count RUNNING in three buckets, [0, 10), [10, 20) and [20, 30).
func TestExamples(t *testing.T) {
	type numbers = []int64
	for _, example := range []struct {
		name    string
		now     int64
		changes [][]concurrency.Change
		start   numbers
		peak    numbers
		peakAt  numbers
		entered numbers
		area    numbers
	}{
		{
			name: "a run inside a bucket is missed by a sample at its start",
			now:  100, changes: [][]concurrency.Change{run(0, 12, 18)},
			start: numbers{0, 0, 0}, peak: numbers{0, 1, 0}, peakAt: numbers{0, 12, 20}, entered: numbers{0, 1, 0}, area: numbers{0, 6, 0},
		},
		{
			name: "a run is counted at its start and not at its end",
			now:  100, changes: [][]concurrency.Change{run(0, 10, 20)},
			start: numbers{0, 1, 0}, peak: numbers{0, 1, 0}, peakAt: numbers{0, 10, 20}, entered: numbers{0, 1, 0}, area: numbers{0, 10, 0},
		},
		{
			name: "a run that began long ago is carried in",
			now:  100, changes: [][]concurrency.Change{run(0, -1_000_000, 15)},
			start: numbers{1, 1, 0}, peak: numbers{1, 1, 0}, peakAt: numbers{0, 10, 20}, entered: numbers{0, 0, 0}, area: numbers{10, 5, 0},
		},
		{
			name: "a hand-over at one instant is one, never two",
			now:  100, changes: [][]concurrency.Change{run(0, 2, 5), run(0, 5, 8)},
			start: numbers{0, 0, 0}, peak: numbers{1, 0, 0}, peakAt: numbers{2, 10, 20}, entered: numbers{2, 0, 0}, area: numbers{6, 0, 0},
		},
		{
			name: "a hand-over between series is one in total, whichever row comes first",
			now:  100, changes: [][]concurrency.Change{run(1, 10, 14), run(0, 4, 10)},
			start: numbers{0, 1, 0}, peak: numbers{1, 1, 0}, peakAt: numbers{4, 10, 20}, entered: numbers{1, 1, 0}, area: numbers{6, 4, 0},
		},
		{
			name: "a run of length zero is an entry and never a level",
			now:  100, changes: [][]concurrency.Change{run(0, 5, 5), run(0, 20, 20)},
			start: numbers{0, 0, 0}, peak: numbers{0, 0, 0}, peakAt: numbers{0, 10, 20}, entered: numbers{1, 0, 1}, area: numbers{0, 0, 0},
		},
		{
			name: "the total's peak is the joint one, not the sum of peaks",
			now:  100, changes: [][]concurrency.Change{run(0, 1, 3), run(0, 2, 3), run(1, 6, 9), run(1, 7, 9)},
			start: numbers{0, 0, 0}, peak: numbers{2, 0, 0}, peakAt: numbers{2, 10, 20}, entered: numbers{4, 0, 0}, area: numbers{8, 0, 0},
		},
		{
			name: "an open run is counted up to now, and the future is zero",
			now:  14, changes: [][]concurrency.Change{open(0, 3)},
			start: numbers{0, 1, 0}, peak: numbers{1, 1, 0}, peakAt: numbers{3, 10, 20}, entered: numbers{1, 0, 0}, area: numbers{7, 4, 0},
		},
		{
			name: "a change at now is known, but has lasted for no time",
			now:  14, changes: [][]concurrency.Change{open(0, 14)},
			start: numbers{0, 0, 0}, peak: numbers{0, 1, 0}, peakAt: numbers{0, 14, 20}, entered: numbers{0, 1, 0}, area: numbers{0, 0, 0},
		},
		{
			name: "a change after now is not known",
			now:  14, changes: [][]concurrency.Change{open(0, 15), run(0, 11, 16)},
			start: numbers{0, 0, 0}, peak: numbers{0, 1, 0}, peakAt: numbers{0, 11, 20}, entered: numbers{0, 1, 0}, area: numbers{0, 3, 0},
		},
		{
			name: "a bucket that begins now has a level and no area",
			now:  20, changes: [][]concurrency.Change{open(0, 3), open(1, 20)},
			start: numbers{0, 1, 2}, peak: numbers{1, 1, 2}, peakAt: numbers{3, 10, 20}, entered: numbers{1, 0, 1}, area: numbers{7, 10, 0},
		},
		{
			name: "of a window in the future nothing is known",
			now:  -1, changes: [][]concurrency.Change{open(0, -5)},
			start: numbers{0, 0, 0}, peak: numbers{0, 0, 0}, peakAt: numbers{0, 10, 20}, entered: numbers{0, 0, 0}, area: numbers{0, 0, 0},
		},
	} {
		t.Run(example.name, func(t *testing.T) {
			got, err := concurrency.Count(concurrency.Window{Start: 0, Bucket: 10, Count: 3},
				concurrency.Of(jobmon.TaskRunning), 2, example.now, slices.Concat(example.changes...))
			if err != nil {
				t.Fatal(err)
			}
			want := concurrency.Series{
				Start: example.start, Peak: example.peak, PeakAt: example.peakAt,
				Entered: example.entered, Area: example.area,
			}
			want.WindowPeak, want.WindowPeakAt = got.Total.WindowPeak, got.Total.WindowPeakAt
			if diff := cmp.Diff(want, got.Total); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			highest := slices.Index(example.peak, slices.Max(example.peak))
			if got.Total.WindowPeak != example.peak[highest] || got.Total.WindowPeakAt != example.peakAt[highest] {
				t.Errorf("window's peak %d at %d", got.Total.WindowPeak, got.Total.WindowPeakAt)
			}
		})
	}
}

// A sample at whole minutes sees nothing of bursts that are 50 tasks high.
func TestBurstsBetweenSamples(t *testing.T) {
	const second = 1_000_000
	window := concurrency.Window{Start: 0, Bucket: 60 * second, Count: 60}
	var changes []concurrency.Change
	for minute := range int64(60) {
		for range 50 {
			from := (minute*60 + 15) * second
			changes = append(changes, run(0, from, from+20*second)...)
		}
	}
	got, err := concurrency.Count(window, concurrency.Of(jobmon.TaskRunning), 1, never, changes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range window.Count {
		numbers := []int64{
			got.Total.Start[i], got.Total.Peak[i], got.Total.PeakAt[i] - window.BucketStart(i),
			got.Total.Entered[i], got.MeanHundredths(got.Total, i),
		}
		if diff := cmp.Diff([]int64{0, 50, 15 * second, 50, 1667}, numbers); diff != "" {
			t.Fatalf("minute %d: start, peak, peak at, entered, mean (-want +got):\n%s", i, diff)
		}
	}
	if got.Total.TaskSeconds() != 60*50*20 {
		t.Errorf("%v task-seconds", got.Total.TaskSeconds())
	}
}

func TestEnteringAUnionIsComingFromOutsideIt(t *testing.T) {
	path := "GQIORDGQIREAQ"
	var changes []concurrency.Change
	for i := range path {
		c := concurrency.Change{At: int64(i), To: jobmon.TaskStatus(path[i])}
		if i > 0 {
			c.From = jobmon.TaskStatus(path[i-1])
		}
		changes = append(changes, c)
	}
	for name, want := range map[string]struct {
		set     concurrency.StatusSet
		entered int64
	}{
		"RUNNING": {concurrency.Of(jobmon.TaskRunning), 2},
		"PENDING": {concurrency.Pending, 3},
		"ACTIVE":  {concurrency.Active, 3},
		"all":     {concurrency.All, 1},
		"none":    {0, 0},
	} {
		got, err := concurrency.Count(concurrency.Window{Bucket: 100, Count: 1}, want.set, 1, never, changes)
		if err != nil {
			t.Fatal(err)
		}
		if got.Total.Entered[0] != want.entered || got.Series[0].Entered[0] != want.entered {
			t.Errorf("%s: entered %d times in total, %d in its series, want %d",
				name, got.Total.Entered[0], got.Series[0].Entered[0], want.entered)
		}
	}
}

func TestPartialBucket(t *testing.T) {
	window := concurrency.Window{Start: -10, Bucket: 10, Count: 3}
	for _, example := range []struct {
		now     int64
		from    int64
		ok      bool
		elapsed []int64
	}{
		{-11, 0, false, []int64{0, 0, 0}},
		{-10, -10, true, []int64{0, 0, 0}},
		{-1, -10, true, []int64{9, 0, 0}},
		{0, 0, true, []int64{10, 0, 0}},
		{19, 10, true, []int64{10, 10, 9}},
		{20, 0, false, []int64{10, 10, 10}},
		{never, 0, false, []int64{10, 10, 10}},
	} {
		r := concurrency.NewSweep(window, concurrency.All, 1, example.now).Result()
		from, ok := r.PartialFrom()
		elapsed := []int64{r.Elapsed(0), r.Elapsed(1), r.Elapsed(2)}
		if from != example.from || ok != example.ok || !slices.Equal(elapsed, example.elapsed) {
			t.Errorf("now %d: partial from %d, %t; elapsed %v", example.now, from, ok, elapsed)
		}
	}
}

func TestMeanOfABucketThatBeginsNowIsItsLevel(t *testing.T) {
	r, err := concurrency.Count(concurrency.Window{Bucket: 10, Count: 3}, concurrency.Of(jobmon.TaskRunning), 2, 10,
		slices.Concat(open(0, 3), open(1, 10), open(1, 11)))
	if err != nil {
		t.Fatal(err)
	}
	means := []int64{r.MeanHundredths(r.Total, 0), r.MeanHundredths(r.Total, 1), r.MeanHundredths(r.Total, 2)}
	if diff := cmp.Diff([]int64{70, 200, 0}, means); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The numbers of a workflow of millions of tasks over years fit.
func TestLargeNumbers(t *testing.T) {
	const day = 86_400_000_000
	window := concurrency.Window{Bucket: day, Count: 1000}
	sweep := concurrency.NewSweep(window, concurrency.All, 2, never)
	for series := range 2 {
		if err := sweep.Carry(series, 0, jobmon.TaskDone, 5_000_000); err != nil {
			t.Fatal(err)
		}
	}
	if err := sweep.Add(concurrency.Change{At: day / 3, To: jobmon.TaskDone}); err != nil {
		t.Fatal(err)
	}
	r := sweep.Result()
	if got := r.MeanHundredths(r.Total, 0); got != 1_000_000_067 {
		t.Errorf("mean of the first day: %d hundredths", got)
	}
	if got := r.MeanHundredths(r.Total, 999); got != 1_000_000_100 {
		t.Errorf("mean of the last day: %d hundredths", got)
	}
	if got, want := r.Total.TaskSeconds(), 10_000_001.0*86_400*1000-86_400/3; got != want {
		t.Errorf("%v task-seconds, want %v", got, want)
	}
}

func TestAlign(t *testing.T) {
	for _, example := range []struct {
		start, end int64
		want       concurrency.Window
	}{
		{0, 60, concurrency.Window{Start: 0, Bucket: 60, Count: 1}},
		{0, 61, concurrency.Window{Start: 0, Bucket: 60, Count: 2}},
		{59, 61, concurrency.Window{Start: 0, Bucket: 60, Count: 2}},
		{60, 120, concurrency.Window{Start: 60, Bucket: 60, Count: 1}},
		{-1, 1, concurrency.Window{Start: -60, Bucket: 60, Count: 2}},
		{-61, -60, concurrency.Window{Start: -120, Bucket: 60, Count: 1}},
		{-60, 0, concurrency.Window{Start: -60, Bucket: 60, Count: 1}},
		{70, 70, concurrency.Window{Start: 60, Bucket: 60, Count: 0}},
		{70, 10, concurrency.Window{Start: 60, Bucket: 60, Count: 0}},
	} {
		if got := concurrency.Align(example.start, example.end, 60); got != example.want {
			t.Errorf("[%d, %d): %+v, want %+v", example.start, example.end, got, example.want)
		}
	}
}

func TestStatusSets(t *testing.T) {
	sets := map[concurrency.StatusSet]string{
		0: "", concurrency.Pending: "QI", concurrency.Active: "QIOR", concurrency.All: "GQIORDEAF",
		concurrency.Of(jobmon.TaskErrorFatal, jobmon.TaskRegistering, jobmon.TaskErrorFatal): "GF",
	}
	for set, letters := range sets {
		var has string
		for status := range 256 {
			if set.Has(jobmon.TaskStatus(status)) != (status > 0 && strings.ContainsRune(letters, rune(status))) {
				t.Errorf("%q: Has(%d) is %t", letters, status, set.Has(jobmon.TaskStatus(status)))
			}
		}
		for _, status := range set.Statuses() {
			has += status.String()
		}
		if has != letters || concurrency.Of(set.Statuses()...) != set {
			t.Errorf("%q holds %q", letters, has)
		}
	}
	if set := concurrency.Of(0, 'B', 'Z', '[', 'r', 255); set != 0 {
		t.Errorf("what is no status made the set %v", set.Statuses())
	}
	for _, status := range jobmon.TaskStatuses() {
		if concurrency.Active.Has(status) != status.Active() {
			t.Errorf("%s: the engine and the domain differ about ACTIVE", status.Name())
		}
	}
}

func TestSweepRefusesWhatItCannotCount(t *testing.T) {
	window := concurrency.Window{Start: 0, Bucket: 10, Count: 3}
	change := func(at int64, series int) concurrency.Change {
		return concurrency.Change{At: at, Series: series, To: jobmon.TaskRunning}
	}
	sweep := concurrency.NewSweep(window, concurrency.All, 2, never)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	refused := func(err error, part string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not say %q", err, part)
		}
	}
	must(sweep.Add(change(-5, 0)))
	must(sweep.Carry(1, 0, jobmon.TaskRunning, 1))
	must(sweep.Add(change(0, 1)))
	must(sweep.Carry(1, 0, jobmon.TaskRunning, 1))
	must(sweep.Add(change(7, 1)))
	must(sweep.Add(change(7, 0)))
	refused(sweep.Add(change(6, 0)), "a change at 6 follows one at 7")
	refused(sweep.Add(change(8, 2)), "series 2 of 2")
	refused(sweep.Add(change(8, -1)), "series -1 of 2")
	refused(sweep.Carry(0, 0, jobmon.TaskRunning, 3), "a level before the window")
	must(sweep.Add(change(40, 0)))
	refused(sweep.Add(change(29, 0)), "a change at 29 follows one at 40")
	got := sweep.Result()
	if diff := cmp.Diff([]int64{4, 6, 6}, got.Total.Start); diff != "" {
		t.Errorf("what was refused was counted (-want +got):\n%s", diff)
	}
	refused(sweep.Add(change(50, 0)), "ended")
	refused(sweep.Carry(0, 0, jobmon.TaskRunning, 1), "before the window")

	empty := concurrency.NewSweep(window, concurrency.All, 1, never)
	refused(empty.Carry(1, 0, jobmon.TaskRunning, 1), "series 1 of 1")
	if _, err := concurrency.Count(window, concurrency.All, 1, never, []concurrency.Change{change(1, 4)}); err == nil {
		t.Error("Count took a series that is not there")
	}
}

func TestDefects(t *testing.T) {
	left := func(at int64, series int) concurrency.Change {
		return concurrency.Change{At: at, Series: series, From: jobmon.TaskRunning, To: jobmon.TaskDone}
	}
	entered := func(at int64, series int) concurrency.Change {
		return concurrency.Change{At: at, Series: series, From: jobmon.TaskLaunched, To: jobmon.TaskRunning}
	}
	got, err := concurrency.Count(concurrency.Window{Bucket: 10, Count: 2}, concurrency.Of(jobmon.TaskRunning), 4, never,
		[]concurrency.Change{
			left(12, 2), left(12, 2), left(13, 2), // never entered
			left(-5, 1), entered(-4, 1), // made good before the window
			left(3, 0), entered(3, 0), // netted at one instant
			left(13, 0), left(13, 0),
			left(12, 3),
			left(50, 1), // after the window
		})
	if err != nil {
		t.Fatal(err)
	}
	want := []concurrency.Defect{{Series: 2, At: 12, Level: -2}, {Series: 3, At: 12, Level: -1}, {Series: 0, At: 13, Level: -2}}
	if diff := cmp.Diff(want, got.Defects); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := got.Series[2].Area[1]; got != -2-3*7 {
		t.Errorf("area %d: the rows are counted as they are", got)
	}
	if got := got.MeanHundredths(got.Series[2], 1); got != -230 {
		t.Errorf("mean %d hundredths", got)
	}
}

func TestAddingAllocatesNothing(t *testing.T) {
	sweep := concurrency.NewSweep(concurrency.Window{Bucket: 10, Count: 100}, concurrency.Active, 5, never)
	at := int64(0)
	allocations := testing.AllocsPerRun(900, func() {
		for series := range 5 {
			if err := sweep.Add(concurrency.Change{At: at, Series: series, To: jobmon.TaskRunning}); err != nil {
				t.Fatal(err)
			}
		}
		at++
	})
	if allocations != 0 {
		t.Errorf("%v allocations for 5 changes", allocations)
	}
}
