package concurrency_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// rolledUp draws a scenario about a kind of which there are cells.
func rolledUp(t *rapid.T) (s scenario, r *rollup, kind int, changes []concurrency.Change) {
	s, finest := overCells(t)
	kind = rapid.IntRange(0, len(levels)-1).Draw(t, "kind")
	r = newRollup(t, finest)
	r.tell(t, s.inOrder(), s.inOrder())
	s = s.counting(levels[kind])
	return s, r, kind, s.inOrder()
}

// elapsed is the first instant of the scenario's window that is not over, or its end.
func (s scenario) elapsed() int64 { return max(s.window.Start, min(s.window.End(), s.now)) }

// limitAt returns the limit in force at an instant, and false when there is none.
func limitAt(steps []concurrency.Step, at int64) (limit int64, ok bool) {
	for _, step := range steps {
		if step.From <= at {
			limit, ok = step.Limit, true
		}
	}
	return limit, ok
}

// atLimit adds up for how long as many tasks of a series were in the scenario's union as the limit allows.
func (s scenario) atLimit(series int, steps []concurrency.Step) (micros int64) {
	end := s.elapsed()
	edges := []int64{s.window.Start, end}
	for _, step := range steps {
		edges = append(edges, step.From)
	}
	for _, task := range s.tasks {
		for _, step := range task.steps {
			edges = append(edges, step.at)
		}
	}
	slices.Sort(edges)
	for i, from := range edges {
		if from < s.window.Start || from >= end {
			continue
		}
		if limit, ok := limitAt(steps, from); ok && s.listed(series, from) >= limit {
			micros += edges[i+1] - from
		}
	}
	return micros
}

func drawSteps(t *rapid.T, s scenario, name string) []concurrency.Step {
	width := max(1, s.window.Bucket/3)
	steps := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) concurrency.Step {
		return concurrency.Step{
			From:  s.window.Start + rapid.Int64Range(-4, 20).Draw(t, "from")*width,
			Limit: rapid.SampledFrom([]int64{1, 2, 3, 0, 5, jobmon.NoLimit}).Draw(t, "limit"),
		}
	}), 0, 4).Draw(t, name)
	slices.SortStableFunc(steps, func(a, b concurrency.Step) int { return cmp.Compare(a.From, b.From) })
	return steps
}

// Time at a limit is exact from changes alone, and from cells with the changes in what these leave open. From
// cells alone it is an upper bound.
func TestTimeAtTheLimitAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, r, kind, changes := rolledUp(t)
		series := make([][]concurrency.Step, s.series)
		for i := range series {
			series[i] = drawSteps(t, s, "steps of a series")
		}
		total := drawSteps(t, s, "steps of all")
		want := make([]concurrency.AtLimit, s.series)
		for i := range want {
			want[i].Micros = s.atLimit(i, series[i])
		}
		wantTotal := concurrency.AtLimit{Micros: s.atLimit(everySeries, total)}
		begin := func() *concurrency.Saturation {
			return concurrency.NewSaturation(s.set(), s.window.Start, s.elapsed(), series, total)
		}

		byRow := begin()
		for _, c := range changes {
			if err := byRow.Add(c); err != nil {
				t.Fatal(err)
			}
		}
		if open := byRow.Open(); len(open) > 0 {
			t.Fatalf("changes leave %v open", open)
		}
		got, gotTotal := byRow.Result(true)
		same(t, "series from changes", want, got)
		same(t, "all from changes", wantTotal, gotTotal)

		seed := rapid.Uint64().Draw(t, "choices")
		totals := rapid.Bool().Draw(t, "totals")
		byCell := func() *concurrency.Saturation {
			saturation := begin()
			r.tellTo(t, saturation, s, kind, changes, rand.New(rand.NewPCG(seed, 0)), totals)
			return saturation
		}
		bound := byCell()
		open := bound.Open()
		got, gotTotal = bound.Result(false)
		for i, bound := range append(got, gotTotal) {
			exact := append(slices.Clone(want), wantTotal)[i]
			if bound.Micros < exact.Micros || bound.Resolution == 0 && bound != exact {
				t.Fatalf("series %d of %d was %+v at its limit, and cells say %+v", i, s.series, exact, bound)
			}
		}

		refined := byCell()
		for _, c := range changes {
			inside := slices.ContainsFunc(open, func(s concurrency.Span) bool { return s.From <= c.At && c.At < s.To })
			if inside || rapid.Bool().Draw(t, "told though it is outside") {
				if err := refined.Refine(c); err != nil {
					t.Fatal(err)
				}
			}
		}
		got, gotTotal = refined.Result(true)
		same(t, "series, refined", want, got)
		same(t, "all, refined", wantTotal, gotTotal)
	})
}

// A level that is never below its limit, or never at it, is known from cells.
func TestCellsThatTellEnough(t *testing.T) {
	const minute = 60
	cell := func(c concurrency.Cell) []concurrency.Entry {
		c.Length = minute
		return []concurrency.Entry{{Series: concurrency.Total, Cell: c}, {Series: 0, Cell: c}}
	}
	saturation := concurrency.NewSaturation(concurrency.Active, 0, 5*minute, [][]concurrency.Step{nil},
		[]concurrency.Step{{From: -100, Limit: 3}, {From: 4*minute + 10, Limit: 2}})
	for _, err := range []error{
		saturation.CarryLevel(0, 1),
		saturation.AddCells(0, minute, cell(concurrency.Cell{Delta: 1, Peak: 1, PeakAt: 30, Area: 30, Entered: 1})),             // up to 2
		saturation.AddCells(minute, minute, cell(concurrency.Cell{Open: 1, Delta: 1, Peak: 1, Area: minute, Entered: 1})),       // 3 from its start
		saturation.AddCells(3*minute, minute, cell(concurrency.Cell{Open: -1, Delta: -1, Peak: -1, Area: -minute, Entered: 0})), // 2 from its start
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if open := saturation.Open(); len(open) > 0 {
		t.Errorf("%v is open", open)
	}
	_, total := saturation.Result(false)
	// Two minutes of 3, and the rest of the last one when 2 are enough.
	same(t, "at the limit", concurrency.AtLimit{Micros: 2*minute + 50}, total)
}

func TestWhatNobodyKnowsIsRefused(t *testing.T) {
	saturation := concurrency.NewSaturation(concurrency.Active, 0, 10, make([][]concurrency.Step, 2), nil)
	tally := concurrency.NewTally(concurrency.Active, 0, 10, 2)
	for _, c := range []counter{saturation, tally} {
		for name, err := range map[string]error{
			"carried":  c.CarryLevel(2, 1),
			"cells":    c.AddCells(0, 5, []concurrency.Entry{{Series: 2, Cell: concurrency.Cell{Length: 5}}}),
			"a change": c.Add(concurrency.Change{Series: -2, To: jobmon.TaskRunning}),
			"refined":  saturation.Refine(concurrency.Change{Series: 2, To: jobmon.TaskRunning}),
		} {
			if err == nil {
				t.Errorf("%T takes a series that is not there, %s", c, name)
			}
		}
	}
}

// The series with the most time are those that the oracle's sums put first, however they are told.
func TestTheMostTimeAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, r, kind, changes := rolledUp(t)
		want := make([]int, s.series)
		for i := range want {
			want[i] = i
		}
		slices.SortStableFunc(want, func(a, b int) int {
			return cmp.Compare(s.taskMicros(b, s.window.Start, s.elapsed()), s.taskMicros(a, s.window.Start, s.elapsed()))
		})
		n := rapid.IntRange(0, s.series).Draw(t, "most")
		want = want[:n]
		slices.Sort(want)

		byRow := concurrency.NewTally(s.set(), s.window.Start, s.elapsed(), s.series)
		for _, c := range changes {
			if err := byRow.Add(c); err != nil {
				t.Fatal(err)
			}
		}
		same(t, "from changes", want, byRow.Most(n))
		byCell := concurrency.NewTally(s.set(), s.window.Start, s.elapsed(), s.series)
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "choices"), 0))
		r.tellTo(t, byCell, s, kind, changes, random, rapid.Bool().Draw(t, "totals"))
		same(t, "from cells", want, byCell.Most(n))
	})
}

// A year of a million million tasks is more task-microseconds than an int64 holds.
func TestTimeBeyondAnInteger(t *testing.T) {
	const year = 365 * 86_400_000_000
	tally := concurrency.NewTally(concurrency.Active, 0, 100*year, 3)
	for series, level := range []int64{1_000_000, 1_000_001, 999_999} {
		if err := tally.CarryLevel(series, level); err != nil {
			t.Fatal(err)
		}
		for at := int64(0); at < 100*year; at += year {
			if err := tally.AddCells(at, year/365, []concurrency.Entry{{Series: series, Cell: concurrency.Cell{Length: year / 365}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	same(t, "the most", []int{0, 1}, tally.Most(2))
}

// The same time is the same, whether it is what a task that came stayed or what one that was there did not.
func TestTheSameTimeTiesHoweverItIsTold(t *testing.T) {
	const length, stays = 60_000_000, 900
	tally := concurrency.NewTally(concurrency.Active, 0, length, 2)
	if err := tally.CarryLevel(1, 1); err != nil {
		t.Fatal(err)
	}
	err := tally.AddCells(0, length, []concurrency.Entry{
		{Series: 0, Cell: concurrency.Cell{Length: length, Open: 1, Peak: 1, Area: stays, Entered: 1}},
		{Series: 1, Cell: concurrency.Cell{Length: length, Delta: -1, Area: stays - length}},
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the first of those that tie", []int{0}, tally.Most(1))
}
