package concurrency_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// anyCell generates cells of any numbers, whether or not a history could make them: the laws of
// merging do not depend on that. One in four is no cell at all.
func anyCell() *rapid.Generator[concurrency.Cell] {
	small := rapid.Int64Range(-3, 3) // so that peaks tie
	return rapid.Custom(func(t *rapid.T) concurrency.Cell {
		length := rapid.SampledFrom([]int64{0, 1, 2, 5}).Draw(t, "length")
		if length == 0 {
			return concurrency.Cell{}
		}
		return concurrency.Cell{
			Length:  length,
			Open:    small.Draw(t, "open"),
			Delta:   small.Draw(t, "delta"),
			Peak:    small.Draw(t, "peak"),
			PeakAt:  rapid.Int64Range(0, length-1).Draw(t, "peak at"),
			Area:    rapid.Int64Range(-50, 50).Draw(t, "area"),
			Entered: rapid.Int64Range(0, 5).Draw(t, "entered"),
		}
	})
}

func TestMergingIsAssociative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := anyCell().Draw(t, "a"), anyCell().Draw(t, "b"), anyCell().Draw(t, "c")
		same(t, "(a b) c and a (b c)", a.Then(b).Then(c), a.Then(b.Then(c)))
	})
}

func TestNoCellIsTheIdentityOfMerging(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyCell().Draw(t, "cell")
		same(t, "no cell before", c, concurrency.Cell{}.Then(c))
		same(t, "no cell after", c, c.Then(concurrency.Cell{}))
	})
}

// An interval without events is no identity: it has a length.
func TestMergingExamples(t *testing.T) {
	one := cell{Length: 10, Delta: 1, Peak: 1, PeakAt: 3, Area: 7, Entered: 1} // one enters after 3
	for _, example := range []struct {
		name       string
		a, b, want cell
	}{
		{
			"a quiet span after holds the level",
			one, cell{Length: 5},
			cell{Length: 15, Delta: 1, Peak: 1, PeakAt: 3, Area: 12, Entered: 1},
		},
		{
			"a quiet span before moves the peak",
			cell{Length: 5}, one,
			cell{Length: 15, Delta: 1, Peak: 1, PeakAt: 8, Area: 7, Entered: 1},
		},
		{
			"of two equal peaks the first counts",
			cell{Length: 10, Peak: 2, PeakAt: 4, Area: 6, Entered: 2}, cell{Length: 10, Peak: 2, PeakAt: 1, Area: 3, Entered: 2},
			cell{Length: 20, Peak: 2, PeakAt: 4, Area: 9, Entered: 4},
		},
		{
			"what the second opens with is no opening of both",
			cell{Length: 10}, cell{Length: 10, Open: 2, Delta: 2, Peak: 2, Area: 20, Entered: 2},
			cell{Length: 20, Delta: 2, Peak: 2, PeakAt: 10, Area: 20, Entered: 2},
		},
		{
			"all leave at the start, and one comes back",
			cell{Length: 10, Open: -3, Delta: -3, Peak: -3, Area: -30}, one,
			cell{Length: 20, Open: -3, Delta: -2, Peak: -2, PeakAt: 13, Area: -53, Entered: 1},
		},
	} {
		t.Run(example.name, func(t *testing.T) {
			same(t, "merged", example.want, example.a.Then(example.b))
		})
	}
}

// inOrder returns the scenario's changes in the order of their instants.
func (s scenario) inOrder() []concurrency.Change {
	changes := s.changes()
	slices.SortStableFunc(changes, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) })
	return changes
}

// levels are the kinds that are about a level: all but the last.
var levels = concurrency.Kinds()[:len(concurrency.Kinds())-1]

// counting returns the scenario with another kind counted. For attempts after the first, it is the scenario of
// those who see nothing else.
func (s scenario) counting(kind concurrency.Kind) scenario {
	s.statuses = kind.Set.Statuses()
	if !kind.Retries {
		return s
	}
	seen := make([]task, len(s.tasks))
	for i, t := range s.tasks {
		seen[i] = task{series: t.series}
		for _, step := range t.steps {
			if !step.retry {
				step.to = 0
			}
			seen[i].steps = append(seen[i].steps, step)
		}
	}
	s.tasks = seen
	return s
}

// built makes the cells of [from, to) of every kind from the changes that lie in it.
func built(t rapid.TB, changes []concurrency.Change, from, to int64) [][]concurrency.Entry {
	t.Helper()
	builder := concurrency.NewBuilder(from, to-from)
	for _, c := range changes {
		if from <= c.At && c.At < to {
			if err := builder.Add(c); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries := make([][]concurrency.Entry, len(concurrency.Kinds()))
	for kind := range entries {
		entries[kind] = builder.Entries(kind)
	}
	return entries
}

// cellOf returns the cell of a series, or of all, among entries for a span of the given length.
func cellOf(entries []concurrency.Entry, series int, length int64) concurrency.Cell {
	for _, e := range entries {
		if e.Series == series {
			return e.Cell
		}
	}
	return concurrency.Cell{Length: length}
}

// everyone lists the indexes of the scenario's series, and that of all together.
func (s scenario) everyone() []int {
	indexes := []int{concurrency.Total}
	for i := range s.series {
		indexes = append(indexes, i)
	}
	return indexes
}

// expectCell is the oracle's cell of [from, to). It asks for levels, and takes the one before from off.
func (s scenario) expectCell(series int, from, to int64) concurrency.Cell {
	before := s.listed(series, from-1)
	peak, at := s.highest(series, from, to)
	return concurrency.Cell{
		Length:  to - from,
		Open:    s.listed(series, from) - before,
		Delta:   s.listed(series, to-1) - before,
		Peak:    peak - before,
		PeakAt:  at - from,
		Area:    s.taskMicros(series, from, to) - before*(to-from),
		Entered: s.entries(series, from, to),
	}
}

// instants draws n increasing instants on and beside those at which something happens.
func (s scenario) instants(t *rapid.T, n int) []int64 {
	all := []int64{s.window.Start, s.window.End()}
	for _, c := range s.changes() {
		all = append(all, c.At)
	}
	drawn := make([]int64, n)
	for i := range drawn {
		drawn[i] = rapid.SampledFrom(all).Draw(t, "near") + rapid.Int64Range(-2, 2).Draw(t, "beside")
	}
	slices.Sort(drawn)
	for i := 1; i < n; i++ {
		drawn[i] = max(drawn[i], drawn[i-1]+1) // the spans between them have a length
	}
	return drawn
}

// One index asks the oracle and the engine alike for all series together.
var _ = [1]struct{}{}[everySeries-concurrency.Total]

func TestBuilderAgreesWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		span := s.instants(t, 2)
		entries := built(t, s.inOrder(), span[0], span[1])
		for i, kind := range levels {
			for _, series := range s.everyone() {
				same(t, kind.Name+": oracle and builder differ",
					s.counting(kind).expectCell(series, span[0], span[1]),
					cellOf(entries[i], series, span[1]-span[0]))
			}
			if !slices.IsSortedFunc(entries[i], func(a, b concurrency.Entry) int { return a.Series - b.Series }) {
				t.Fatalf("%s: entries are out of order: %+v", kind.Name, entries[i])
			}
		}
	})
}

func TestMergedCellsAreThoseOfTheLongerSpan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		at := s.instants(t, 3)
		a, b, c := at[0], at[1], at[2]
		changes := s.inOrder()
		first, second, both := built(t, changes, a, b), built(t, changes, b, c), built(t, changes, a, c)
		for i, kind := range levels {
			for _, series := range s.everyone() {
				same(t, kind.Name+": merged, and built at once", cellOf(both[i], series, c-a),
					cellOf(first[i], series, b-a).Then(cellOf(second[i], series, c-b)))
			}
		}
	})
}

// The cells of some of the series, one beside the other, against the cell of their joint step function.
func TestCellsBesideEachOtherBoundTheJointPeak(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := scenarios().Draw(t, "scenario")
		span := s.instants(t, 2)
		chosen := rapid.SliceOfNDistinct(rapid.IntRange(0, s.series-1), 1, s.series, rapid.ID).Draw(t, "series")
		changes := slices.DeleteFunc(s.inOrder(), func(c concurrency.Change) bool { return !slices.Contains(chosen, c.Series) })
		length := span[1] - span[0]
		entries := built(t, changes, span[0], span[1])
		for i, kind := range levels {
			got := cellOf(entries[i], chosen[0], length)
			peaks := got.Peak
			for _, series := range chosen[1:] {
				cell := cellOf(entries[i], series, length)
				got, peaks = got.Beside(cell), peaks+cell.Peak
			}
			want := cellOf(entries[i], concurrency.Total, length)
			if got.Peak < want.Peak || got.Peak != peaks {
				t.Fatalf("%s: peak %d of peaks that sum to %d, and the joint one is %d", kind.Name, got.Peak, peaks, want.Peak)
			}
			got.Peak, got.PeakAt = want.Peak, want.PeakAt
			same(t, kind.Name+": all but the peak", want, got)
		}
	})
}

func TestBuilderRefusesWhatIsNotOfItsSpan(t *testing.T) {
	const running = 4 // the index of R
	change := func(at int64, series int) concurrency.Change {
		return concurrency.Change{At: at, Series: series, To: jobmon.TaskRunning}
	}
	builder := concurrency.NewBuilder(100, 10)
	for _, refused := range []concurrency.Change{change(99, 0), change(110, 0), change(100, -1), change(100, -2)} {
		if builder.Add(refused) == nil {
			t.Errorf("took a change of series %d at %d", refused.Series, refused.At)
		}
	}
	for _, taken := range []concurrency.Change{change(100, 0), change(104, 1), change(104, 0), change(109, 0)} {
		if err := builder.Add(taken); err != nil {
			t.Fatal(err)
		}
	}
	if builder.Add(change(108, 0)) == nil {
		t.Error("took a change at 108 after one at 109")
	}
	same(t, "what was refused is not counted", []concurrency.Entry{
		{Series: concurrency.Total, Cell: concurrency.Cell{Length: 10, Open: 1, Delta: 4, Peak: 4, PeakAt: 9, Area: 10 + 2*6 + 1, Entered: 4}},
		{Series: 0, Cell: concurrency.Cell{Length: 10, Open: 1, Delta: 3, Peak: 3, PeakAt: 9, Area: 10 + 6 + 1, Entered: 3}},
		{Series: 1, Cell: concurrency.Cell{Length: 10, Delta: 1, Peak: 1, PeakAt: 4, Area: 6, Entered: 1}},
	}, builder.Entries(running))

	// A change that no set of a kind notices still has an instant.
	builder = concurrency.NewBuilder(100, 10)
	if err := builder.Add(concurrency.Change{At: 105, From: jobmon.TaskRunning, To: jobmon.TaskRunning}); err != nil {
		t.Fatal(err)
	}
	if builder.Add(change(104, 0)) == nil {
		t.Error("took a change at 104 after one at 105")
	}
	for kind := range concurrency.Kinds() {
		if entries := builder.Entries(kind); len(entries) != 0 {
			t.Errorf("entries of a span in which nothing happens: %+v", entries)
		}
	}
}

func TestKinds(t *testing.T) {
	var names []string
	for _, kind := range concurrency.Kinds() {
		names = append(names, kind.Name)
		got, ok := concurrency.KindNamed(kind.Name)
		if !ok || got != kind {
			t.Errorf("the kind named %s is %+v, %t", kind.Name, got, ok)
		}
		if kind == concurrency.Runs {
			continue
		}
		got, ok = concurrency.KindOf(kind.Set, kind.Retries)
		if !ok || got != kind {
			t.Errorf("the kind of the set of %s is %+v, %t", kind.Name, got, ok)
		}
		if statuses := kind.Set.Statuses(); len(kind.Name) == 1 && (len(statuses) != 1 || statuses[0].String() != kind.Name) {
			t.Errorf("%s counts %v", kind.Name, statuses)
		}
	}
	if got := strings.Join(names, " "); got != "G Q I O R D E A F PENDING ACTIVE "+
		"retry of Q retry of I retry of O retry of R retry of D retry of E retry of F retry of PENDING retry of ACTIVE runs" {
		t.Errorf("kinds %s", got)
	}
	for name, set := range map[string]concurrency.StatusSet{"PENDING": concurrency.Pending, "ACTIVE": concurrency.Active} {
		if kind, _ := concurrency.KindOf(set, false); kind.Name != name {
			t.Errorf("the kind of %s is %q", name, kind.Name)
		}
	}
	if kind, ok := concurrency.KindOf(concurrency.Of(jobmon.TaskRegistering), true); ok {
		t.Errorf("%s counts tasks that are at no attempt", kind.Name)
	}
	for _, set := range []concurrency.StatusSet{concurrency.All, concurrency.Of(jobmon.TaskQueued, jobmon.TaskRunning)} {
		if kind, ok := concurrency.KindOf(set, false); ok {
			t.Errorf("the kind of %v is %s", set.Statuses(), kind.Name)
		}
	}
}
