package concurrency_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

const tiers = 3

// rollup keeps the cells of a history as a caller does: encoded blocks of every kind at three widths,
// the finest made of changes, and each coarser one of the blocks below it.
type rollup struct {
	widths [tiers]int64
	counts [tiers]int                // cells of a block: its span is a multiple of the next width
	blocks [][tiers]map[int64][]byte // by kind and number, which counts from the epoch
}

// floorDiv rounds down, where / rounds to zero.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// newRollup draws widths that are multiples of finest, one of another.
func newRollup(t *rapid.T, finest int64) *rollup {
	factor := rapid.IntRange(2, 5)
	second, third := factor.Draw(t, "second tier"), factor.Draw(t, "third tier")
	r := &rollup{blocks: make([][tiers]map[int64][]byte, len(concurrency.Kinds()))}
	r.widths = [tiers]int64{finest, finest * int64(second), finest * int64(second*third)}
	more := rapid.IntRange(1, 3)
	r.counts = [tiers]int{second * more.Draw(t, "block"), third * more.Draw(t, "block"), more.Draw(t, "block")}
	for kind := range r.blocks {
		for tier := range tiers {
			r.blocks[kind][tier] = map[int64][]byte{}
		}
	}
	return r
}

// at finds the cell of a tier that begins at an instant: the number of its block, and its index there.
func (r *rollup) at(tier int, instant int64) (number int64, i int) {
	cell := floorDiv(instant, r.widths[tier])
	number = floorDiv(cell, int64(r.counts[tier]))
	return number, int(cell - number*int64(r.counts[tier]))
}

// load reads a block, or makes the one that is not there.
func (r *rollup) load(t rapid.TB, kind, tier int, number int64) *concurrency.Block {
	t.Helper()
	data, ok := r.blocks[kind][tier][number]
	if !ok {
		return concurrency.NewBlock(r.widths[tier], r.counts[tier])
	}
	block, err := concurrency.DecodeBlock(data, r.widths[tier], r.counts[tier])
	if err != nil {
		t.Fatal(err)
	}
	return block
}

// idOf is the id under which a rollup knows a series. Blocks index series as they come along, so an
// index means another series in every block.
func idOf(series int) int64 { return -40 + 37*int64(series) }

// tell makes the cells again in which news lie, of all that is known, and the coarser ones above them.
func (r *rollup) tell(t rapid.TB, known, news []concurrency.Change) {
	t.Helper()
	for tier, width := range r.widths {
		var spans []int64
		for _, c := range news {
			spans = append(spans, floorDiv(c.At, width)*width)
		}
		slices.Sort(spans)
		for _, span := range slices.Compact(spans) {
			number, i := r.at(tier, span)
			var cells [][]concurrency.Entry
			if tier == 0 {
				cells = built(t, known, span, span+width)
			}
			for kind := range r.blocks {
				block := r.load(t, kind, tier, number)
				if tier == 0 {
					for j, e := range cells[kind] {
						if e.Series != concurrency.Total {
							cells[kind][j].Series = block.Index(idOf(e.Series))
						}
					}
					block.Put(i, cells[kind])
				} else {
					below, from := r.at(tier-1, span)
					finer := r.load(t, kind, tier-1, below)
					if err := block.Sum(i, finer, from, from+int(width/r.widths[tier-1])); err != nil {
						t.Fatal(err)
					}
				}
				r.blocks[kind][tier][number] = block.Encode()
			}
		}
	}
}

// entries returns the cell of a tier that begins at an instant, by the scenario's series.
func (r *rollup) entries(t rapid.TB, kind, tier int, instant int64) []concurrency.Entry {
	t.Helper()
	number, i := r.at(tier, instant)
	block := r.load(t, kind, tier, number)
	entries, err := block.Append(nil, i)
	if err != nil {
		t.Fatal(err)
	}
	for j, e := range entries {
		if e.Series != concurrency.Total {
			entries[j].Series = int((block.Series()[e.Series] + 40) / 37)
		}
	}
	return entries
}

// coarsest returns the widest tier that has a cell at an instant which ends by then, and false when
// none has.
func (r *rollup) coarsest(at, end int64) (tier int, ok bool) {
	for tier := tiers - 1; tier >= 0; tier-- {
		if width := r.widths[tier]; at == floorDiv(at, width)*width && at+width <= end {
			return tier, true
		}
	}
	return 0, false
}

// answer answers the scenario's question of one kind.
func (r *rollup) answer(
	t rapid.TB, s scenario, kind int, changes []concurrency.Change, random *rand.Rand, totals bool,
) concurrency.Result {
	t.Helper()
	sweep := concurrency.NewSweep(s.window, concurrency.Kinds()[kind].Set, s.series, s.now)
	r.tellTo(t, sweep, s, kind, changes, random, totals)
	return sweep.Result()
}

// counter is what can be told of cells and changes.
type counter interface {
	CarryLevel(series int, delta int64) error
	AddCells(at, length int64, entries []concurrency.Entry) error
	Add(c concurrency.Change) error
}

// tellTo tells a counter all that its answer to the scenario's question of one kind depends on: what lies
// before the window is carried as the sums of cells, and in the window cells and single changes are told in
// turn. Without totals, the cells of all series together are held back.
func (r *rollup) tellTo(
	t rapid.TB, into counter, s scenario, kind int, changes []concurrency.Change, random *rand.Rand, totals bool,
) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	next := 0 // change
	skipTo := func(at int64) {
		for next < len(changes) && changes[next].At < at {
			next++
		}
	}
	addTo := func(at int64) {
		for next < len(changes) && changes[next].At < at {
			must(into.Add(changes[next]))
			next++
		}
	}

	if len(changes) > 0 {
		known := s.window.Start // a caller carries the past only as far as it is known
		if s.now < known {
			known = s.now + 1
		}
		at := floorDiv(changes[0].At, r.widths[tiers-1]) * r.widths[tiers-1]
		for {
			tier, ok := r.coarsest(at, known)
			if !ok {
				break
			}
			for _, e := range r.entries(t, kind, tier, at) {
				if e.Series != concurrency.Total {
					must(into.CarryLevel(e.Series, e.Delta))
				}
			}
			at += r.widths[tier]
			skipTo(at)
		}
		addTo(s.window.Start)
	}
	for at := s.window.Start; at < min(s.window.End(), s.now); {
		bucketEnd := s.window.Start + (floorDiv(at-s.window.Start, s.window.Bucket)+1)*s.window.Bucket
		tier, ok := r.coarsest(at, min(bucketEnd, s.now))
		if !ok || random.IntN(4) == 0 {
			at = (floorDiv(at, r.widths[0]) + 1) * r.widths[0]
			addTo(at)
			continue
		}
		tier = random.IntN(tier + 1) // what is whole in a coarser cell is in the finer ones
		width := r.widths[tier]
		entries := r.entries(t, kind, tier, at)
		if !totals {
			entries = slices.DeleteFunc(entries, func(e concurrency.Entry) bool { return e.Series == concurrency.Total })
		} else if random.IntN(2) == 0 {
			slices.Reverse(entries) // the total comes last or first
		}
		must(into.AddCells(at, width, entries))
		at += width
		skipTo(at)
	}
	addTo(never)
}

// overCells draws a scenario whose buckets are mostly made of whole cells, and the finest cell's width.
func overCells(t *rapid.T) (s scenario, finest int64) {
	s = scenarios().Draw(t, "scenario")
	finest = max(1, s.window.Bucket/rapid.SampledFrom([]int64{4, 2, 1, 8}).Draw(t, "cells in a step"))
	end := s.window.End()
	s.window.Bucket = finest * rapid.Int64Range(1, 12).Draw(t, "cells in a bucket")
	s.window.Start = floorDiv(s.window.Start, finest) * finest
	s.window.Start += rapid.Int64Range(-4, 8).Draw(t, "cells later") * finest
	if rapid.IntRange(0, 4).Draw(t, "off the cells' edges") == 0 {
		s.window.Start += rapid.Int64Range(1, finest).Draw(t, "off")
	}
	s.window.Count = int(min(12, max(0, (end-s.window.Start)/s.window.Bucket)))
	return s, finest
}

func TestCellsAgreeWithOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, finest := overCells(t)
		changes := s.inOrder()
		r := newRollup(t, finest)

		// Some rows come late: they change the cells that contain them, and those above, and no other.
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "choices"), 0))
		late := random.IntN(3) * random.IntN(50)
		var first, second []concurrency.Change
		for _, c := range changes {
			if random.IntN(100) < late {
				second = append(second, c)
			} else {
				first = append(first, c)
			}
		}
		r.tell(t, first, first)
		r.tell(t, changes, second)

		for kind := range levels {
			s := s.counting(levels[kind])
			changes := s.inOrder()
			want := s.answer()
			same(t, "cells and oracle differ", want, r.answer(t, s, kind, changes, random, true))

			// Of the total's peak there is only a bound, and the rest is as exact as it was.
			got := r.answer(t, s, kind, changes, random, false)
			if s.series == 1 { // which is the total
				same(t, "the only series is the total", want, got)
			}
			for i, peak := range got.Total.Peak {
				var sum int64
				for _, series := range want.Series {
					sum += series.Peak[i]
				}
				if peak < want.Total.Peak[i] || peak > sum {
					t.Fatalf("bucket %d: bound %d, peak %d, sum of peaks %d", i, peak, want.Total.Peak[i], sum)
				}
			}
			if s.window.Count > 0 && got.Total.WindowPeak != slices.Max(got.Total.Peak) {
				t.Fatalf("bound %d of a window with bounds %v", got.Total.WindowPeak, got.Total.Peak)
			}
			got.Total.Peak, got.Total.PeakAt = want.Total.Peak, want.Total.PeakAt
			got.Total.WindowPeak, got.Total.WindowPeakAt = want.Total.WindowPeak, want.Total.WindowPeakAt
			same(t, "all but the total's peak", want, got)
		}
	})
}

// The cells of RUNNING in the tests below, which are 10 long.
var (
	enters = concurrency.Cell{Length: 10, Delta: 1, Peak: 1, PeakAt: 4, Area: 6, Entered: 1}
	leaves = concurrency.Cell{Length: 10, Delta: -1, Area: -3}
)

func TestSweepRefusesCellsThatItCannotCount(t *testing.T) {
	window := concurrency.Window{Start: 100, Bucket: 20, Count: 3}
	of := func(series int, cell concurrency.Cell, length int64) []concurrency.Entry {
		cell.Length = length
		return []concurrency.Entry{{Series: concurrency.Total, Cell: cell}, {Series: series, Cell: cell}}
	}
	running := func(at int64) concurrency.Change {
		return concurrency.Change{At: at, From: jobmon.TaskLaunched, To: jobmon.TaskRunning}
	}
	const notInOne = "not within one bucket"

	// Two sweeps are told the same, but one is also told what it must refuse. Steps refuse with an error
	// that has the part, and others are taken by both.
	type step struct {
		refused string
		tell    func(*concurrency.Sweep) error
	}
	cells := func(refused string, at, length int64, entries []concurrency.Entry) step {
		return step{refused, func(s *concurrency.Sweep) error { return s.AddCells(at, length, entries) }}
	}
	change := func(refused string, at int64) step {
		return step{refused, func(s *concurrency.Sweep) error { return s.Add(running(at)) }}
	}
	carry := func(refused string, series int) step {
		return step{refused, func(s *concurrency.Sweep) error { return s.CarryLevel(series, 1) }}
	}
	now := int64(155)
	steps := []step{
		change("", 99),
		cells(notInOne, 90, 10, of(0, enters, 10)),  // before the window
		cells(notInOne, 99, 2, of(0, enters, 2)),    // half before it
		cells(notInOne, 160, 10, of(0, enters, 10)), // after it
		cells(notInOne, 155, 10, of(0, enters, 10)), // half after it
		cells(notInOne, 110, 20, of(0, enters, 20)), // across two buckets
		cells(notInOne, 119, 2, of(0, enters, 2)),   // across two buckets
		cells(notInOne, 100, 40, of(0, enters, 40)), // two buckets
		cells(notInOne, 105, 0, of(0, enters, 0)),   // no span
		cells(notInOne, 100, 0, nil),                // no span
		cells(notInOne, 108, -3, of(0, enters, -3)), // a span back in time
		cells("is not over at 155", 140, 16, nil),   // now is its last instant
		cells("is not over at 155", 156, 2, nil),    // all of it after now
		cells("series 2 of 2", 100, 10, of(2, enters, 10)),
		cells("series -2 of 2", 100, 10, of(-2, enters, 10)),
		cells("a cell of 9 microseconds", 100, 10, of(0, enters, 9)),
		cells("a cell of 11 microseconds", 100, 10, slices.Concat(of(0, enters, 10)[:1], of(0, enters, 11)[1:])),
		carry("series 2 of 2", 2), carry("series -1 of 2", -1),
		carry("", 1),
		cells("", 100, 1, of(0, concurrency.Cell{Open: 1, Delta: 1, Peak: 1, Area: 1, Entered: 1}, 1)),
		carry("a level before the window", 0),          // also after cells of a single instant
		cells("up to 101", 100, 1, of(0, enters, 1)),   // the same again
		cells("up to 101", 100, 10, of(0, enters, 10)), // what contains it
		change("", 101),
		cells("up to 101", 101, 9, of(0, enters, 9)), // the change was told singly
		cells("", 102, 8, of(1, enters, 8)),
		change("", 115),
		cells("up to 115", 110, 10, of(0, enters, 10)),
		cells("", 120, 10, of(0, enters, 10)),
		cells("", 130, 10, of(1, leaves, 10)), // right after
		change("a change at 139", 139),        // the last instant that cells told
		cells("up to 140", 139, 1, of(0, enters, 1)),
		change("", 140),
		cells("", 141, 14, of(0, enters, 14)), // it ends just now
		change("a change at 154", 154),
		change("", 155),
		cells("up to 155", 155, 1, nil),
		change("", 170),
		cells("up to 170", 156, 2, nil),
	}
	whole := concurrency.NewSweep(window, concurrency.Of(jobmon.TaskRunning), 2, now)
	tried := concurrency.NewSweep(window, concurrency.Of(jobmon.TaskRunning), 2, now)
	for i, step := range steps {
		err := step.tell(tried)
		switch {
		case step.refused == "" && err != nil:
			t.Fatalf("step %d: %v", i, err)
		case step.refused == "":
			if err := step.tell(whole); err != nil {
				t.Fatalf("step %d, with nothing refused before: %v", i, err)
			}
		case err == nil || !strings.Contains(err.Error(), step.refused):
			t.Errorf("step %d: error %v does not say %q", i, err, step.refused)
		}
	}
	want := whole.Result()
	same(t, "what was refused was counted", want, tried.Result())
	same(t, "the total's start, peak, entered and area",
		[][]int64{{3, 6, 7}, {6, 7, 9}, {4, 1, 3}, {100, 133, 111}},
		[][]int64{want.Total.Start, want.Total.Peak, want.Total.Entered, want.Total.Area})
	unused := concurrency.NewSweep(window, concurrency.All, 1, now)
	unused.Result()
	if unused.CarryLevel(0, 1) == nil {
		t.Error("a level was carried after the result")
	}
	for _, s := range []*concurrency.Sweep{whole, tried} {
		for _, err := range []error{s.AddCells(156, 2, nil), s.AddCells(100, 10, nil)} {
			if err == nil || !strings.Contains(err.Error(), "ended") {
				t.Errorf("error %v of cells after the result", err)
			}
		}
		same(t, "the result again", want, s.Result())
	}
}

func TestNegativeLevelsOfCellsAreReported(t *testing.T) {
	window := concurrency.Window{Start: 0, Bucket: 10, Count: 3}
	leavesAtOnce := concurrency.Cell{Length: 10, Open: -1, Delta: -1, Peak: -1, Area: -10}
	entersAtOnce := concurrency.Cell{Length: 10, Open: 1, Delta: 1, Peak: 1, Area: 10, Entered: 1}
	type defects = []concurrency.Defect
	for _, example := range []struct {
		name    string
		carried int64
		cells   []concurrency.Cell // one after the other, of series 1
		want    defects
	}{
		{"none", 0, []concurrency.Cell{enters, leaves, enters}, nil},
		{"the level at a cell's end, at its last instant", 0, []concurrency.Cell{leaves}, defects{{Series: 1, At: 9, Level: -1}}},
		{"the level that a cell opens with", 0, []concurrency.Cell{leavesAtOnce}, defects{{Series: 1, At: 0, Level: -1}}},
		{"only the first", 0, []concurrency.Cell{enters, {Length: 10, Delta: -2, Area: -3}, leavesAtOnce}, defects{{Series: 1, At: 19, Level: -1}}},
		{
			"a cell that opens below zero and ends above", 0,
			[]concurrency.Cell{enters, {Length: 10, Open: -3, Delta: 2, Peak: 2, PeakAt: 5, Area: -5, Entered: 5}},
			defects{{Series: 1, At: 10, Level: -2}},
		},
		{"what is carried", -2, []concurrency.Cell{enters}, defects{{Series: 1, At: 0, Level: -2}}},
		{"what is carried and opened with", -2, []concurrency.Cell{entersAtOnce}, defects{{Series: 1, At: 0, Level: -1}}},
		{"what is carried is made good by what the first cell opens with", -1, []concurrency.Cell{entersAtOnce, enters, leaves}, nil},
		{
			"what is carried is made good and missed again", -1,
			[]concurrency.Cell{entersAtOnce, leaves, leaves}, defects{{Series: 1, At: 19, Level: -1}},
		},
	} {
		t.Run(example.name, func(t *testing.T) {
			sweep := concurrency.NewSweep(window, concurrency.Active, 3, never)
			if err := sweep.CarryLevel(1, example.carried); err != nil {
				t.Fatal(err)
			}
			for i, cell := range example.cells {
				entries := []concurrency.Entry{{Series: 1, Cell: cell}, {Series: concurrency.Total, Cell: cell}}
				if err := sweep.AddCells(int64(10*i), 10, entries); err != nil {
					t.Fatal(err)
				}
			}
			same(t, "defects", example.want, sweep.Result().Defects)
		})
	}
}

func TestAddingCellsAllocatesNothing(t *testing.T) {
	block := concurrency.NewBlock(10, 1)
	for id := range int64(5) {
		block.Index(id)
	}
	var cells []concurrency.Entry
	for series := concurrency.Total; series < 5; series++ {
		cells = append(cells, concurrency.Entry{Series: series, Cell: enters})
	}
	block.Put(0, cells)
	sweep := concurrency.NewSweep(concurrency.Window{Bucket: 20, Count: 1000}, concurrency.Active, 5, never)
	entries := make([]concurrency.Entry, 0, 6)
	at := int64(0)
	allocations := testing.AllocsPerRun(900, func() {
		var err error
		if entries, err = block.Append(entries[:0], 0); err != nil {
			t.Fatal(err)
		}
		if err = sweep.AddCells(at, 10, entries); err != nil {
			t.Fatal(err)
		}
		at += 10
	})
	if len(entries) != 6 || allocations != 0 {
		t.Errorf("%v allocations for %d cells", allocations, len(entries))
	}
}
