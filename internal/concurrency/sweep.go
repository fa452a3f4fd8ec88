package concurrency

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"tasktide/internal/jobmon"
)

// Change is one row of the task status audit, as far as counting needs it.
type Change struct {
	At     int64 // the task is in To from this instant on, and no longer in From
	Series int
	From   jobmon.TaskStatus // 0 when the task was created
	To     jobmon.TaskStatus
	Since  int64 // when From was entered
	// FromRetry and ToRetry say that the time in From and that in To belong to an attempt after the first.
	FromRetry, ToRetry bool
}

// ChangeOf returns what counting needs of a row, whose task belongs to a series.
func ChangeOf(row jobmon.Transition, series int) Change {
	c := Change{At: row.At, Series: series, From: row.From, To: row.To, Since: row.PreviousAt}
	c.FromRetry, c.ToRetry = row.Retried()
	return c
}

// OfRetries returns the change as those see it who count attempts after the first only.
func (c Change) OfRetries() Change { return c.seen(c.FromRetry, c.ToRetry) }

// OfFirst returns the change as those see it who count all but attempts after the first.
func (c Change) OfFirst() Change { return c.seen(!c.FromRetry, !c.ToRetry) }

func (c Change) seen(from, to bool) Change {
	if !from {
		c.From = 0
	}
	if !to {
		c.To = 0
	}
	return c
}

// Sweep counts the changes of a window in one pass, in the order of their instants. Its memory is
// five numbers for each series and bucket, however many changes there are. Make one with
// [NewSweep]; it is not for use by several goroutines at once.
type Sweep struct {
	set    StatusSet
	window Window
	now    int64
	until  int64 // last instant that counts: what comes after the window or now does not

	last    int64 // instant of the last change, or end of the last cells
	at      int64 // instant whose changes are being netted; the window's start stands for all before it
	bucket  int   // bucket that contains at
	next    int64 // first instant after that bucket
	ended   bool
	touched []int // series whose level changed at the instant at
	tracks  []track
	own     int // how many of the tracks make the total
	total   track
}

// NewSweep returns a sweep that counts the tasks in set over window for series 0 to series-1, with
// what is known at now: changes up to and including now.
func NewSweep(window Window, set StatusSet, series int, now int64) *Sweep {
	s := &Sweep{
		set:     set,
		window:  window,
		now:     now,
		until:   min(window.End()-1, now),
		last:    math.MinInt64,
		at:      window.Start,
		next:    window.BucketStart(1),
		touched: make([]int, 0, series),
		tracks:  make([]track, series),
		own:     series,
		total:   newTrack(window),
	}
	for i := range s.tracks {
		s.tracks[i] = newTrack(window)
	}
	return s
}

// AddParts adds n series after the others that count a part of what these do, and are not in the total. It comes
// before anything is told.
func (s *Sweep) AddParts(n int) {
	for range n {
		s.tracks = append(s.tracks, newTrack(s.window))
	}
}

// Carry tells of n changes of one kind in a series before the window's start, whose instants do not
// matter. It may be called in any order, but before the first change after the window's start is
// added; n tasks that were in a status are n changes from 0 to it. It returns an error, and counts
// nothing, when it comes too late or there is no such series.
func (s *Sweep) Carry(series int, from, to jobmon.TaskStatus, n int64) error {
	return s.CarryLevel(series, n*s.set.Delta(from, to))
}

// CarryLevel tells that a series' level, just before the window's start, is delta higher than told so
// far. It comes when [Sweep.Carry] may come, and returns an error as that does.
func (s *Sweep) CarryLevel(series int, delta int64) error {
	if s.ended || s.last > s.window.Start {
		return fmt.Errorf("a level before the window was told after its start at %d had been counted", s.window.Start)
	}
	if err := checkSeries(series, len(s.tracks)); err != nil {
		return err
	}
	s.shift(series, delta)
	return nil
}

// AddCells counts what happens in the span [at, at+length), which lies in one bucket and before now, as
// cells tell it: one for each series in which something happens, and one for [Total], last or first.
// Without the latter the total is counted as if all series were at their highest at once, so that its
// peak is an upper bound. Cells and changes come in the order of their instants. It returns an error,
// and counts nothing, when the span is not as said, or there is no such series.
func (s *Sweep) AddCells(at, length int64, entries []Entry) error {
	if err := s.checkSpan(at, length); err != nil {
		return err
	}
	total, err := together(entries, length, len(s.tracks), s.own)
	if err != nil {
		return err
	}
	s.moveTo(at)
	s.settle()
	for i := range entries { // by index: an entry is long, and there are many
		if e := &entries[i]; e.Series != Total {
			s.tracks[e.Series].add(at, s.window.Bucket, &e.Cell)
		}
	}
	s.total.add(at, s.window.Bucket, &total)
	s.last = at + length
	return nil
}

// together returns the cell of all series over a span: what the entries say of [Total], and otherwise all of
// them as if they were at their highest at once; only the first own series are of these. It returns an error when a
// cell is of another length, or of a series that is not there.
func together(entries []Entry, length int64, series, own int) (total Cell, err error) {
	total = Cell{Length: length}
	known, first := false, true
	for i := range entries { // by index: an entry is long, and there are many
		e := &entries[i]
		switch {
		case e.Length != length:
			return total, fmt.Errorf("a cell of %d microseconds was added for a span of %d", e.Length, length)
		case e.Series == Total:
			total, known = e.Cell, true
			continue
		case uint(e.Series) >= uint(series):
			return total, noSeries(e.Series, series)
		case known || e.Series >= own:
			continue
		case first:
			total = e.Cell // exact, as long as nothing happens in another
		default:
			total = total.Beside(e.Cell)
		}
		first = false
	}
	return total, nil
}

// checkSeries returns an error unless there is a series.
func checkSeries(series, count int) error {
	if uint(series) >= uint(count) {
		return noSeries(series, count)
	}
	return nil
}

func noSeries(series, count int) error {
	return fmt.Errorf("a change names series %d of %d, counted from 0", series, count)
}

func (s *Sweep) checkSpan(at, length int64) error {
	end := at + length
	switch {
	case s.ended:
		return errors.New("cells were added after the sweep had ended")
	case length <= 0 || at < s.window.Start || end > s.window.End() ||
		floor(at-s.window.Start, s.window.Bucket) != floor(end-1-s.window.Start, s.window.Bucket):
		return fmt.Errorf("the span [%d, %d) is not within one bucket of the window", at, end)
	case at < s.last || s.at == at && s.last == at: // cells that end at last have moved at to before it
		return fmt.Errorf("cells from %d on follow what was counted up to %d: they are added in the order of their instants", at, s.last)
	case end > s.now:
		return fmt.Errorf("the span [%d, %d) is not over at %d", at, end, s.now)
	}
	return nil
}

// moveTo begins a new instant, once the changes of the one before are seen.
func (s *Sweep) moveTo(at int64) {
	if at <= s.at {
		return
	}
	s.settle()
	s.at = at
	for s.next <= at {
		s.next += s.window.Bucket
		s.bucket++
	}
}

// Add counts a change. One before the window's start counts as carried; one after the window or
// after now does not count. Changes come in the order of their instants: the order among those of
// one instant does not matter. It returns an error, and counts nothing, when the change is earlier
// than the one before it, when there is no such series, and after [Sweep.Result].
func (s *Sweep) Add(c Change) error {
	if c.At < s.last || uint(c.Series) >= uint(len(s.tracks)) || s.ended {
		return s.refuse(c)
	}
	s.last = c.At
	delta := s.set.Delta(c.From, c.To)
	if delta == 0 || c.At > s.until {
		return nil
	}
	s.moveTo(c.At)
	s.shift(c.Series, delta)
	if delta > 0 && c.At >= s.window.Start {
		s.tracks[c.Series].Entered[s.bucket]++
		if c.Series < s.own {
			s.total.Entered[s.bucket]++
		}
	}
	return nil
}

// Result ends the sweep and returns what it counted.
func (s *Sweep) Result() Result {
	s.settle()
	s.ended = true
	r := Result{Window: s.window, Now: s.now, Series: make([]Series, len(s.tracks))}
	for i := range s.tracks {
		r.Series[i] = s.finish(&s.tracks[i])
		if defect := s.tracks[i].negative; defect != nil {
			r.Defects = append(r.Defects, Defect{Series: i, At: defect.At, Level: defect.Level})
		}
	}
	r.Total = s.finish(&s.total)
	slices.SortStableFunc(r.Defects, func(a, b Defect) int { return cmp.Compare(a.At, b.At) })
	return r
}

// Count is a whole [Sweep] over changes in any order, which it leaves as they are. It returns an
// error when a change names a series that is not there.
func Count(window Window, set StatusSet, series int, now int64, changes []Change) (Result, error) {
	// Changes of one instant are netted, so their order does not matter and the sort need not be stable.
	sorted := slices.Clone(changes)
	slices.SortFunc(sorted, func(a, b Change) int { return cmp.Compare(a.At, b.At) })
	sweep := NewSweep(window, set, series, now)
	for _, c := range sorted {
		if err := sweep.Add(c); err != nil {
			return Result{}, err
		}
	}
	return sweep.Result(), nil
}

func (s *Sweep) refuse(c Change) error {
	if s.ended {
		return errors.New("a change was added after the sweep had ended")
	}
	if c.At < s.last {
		return fmt.Errorf("a change at %d follows one at %d: changes are added in the order of their instants",
			c.At, s.last)
	}
	return checkSeries(c.Series, len(s.tracks))
}

// shift adds delta to a series' level at the instant at, unseen until that instant is settled.
func (s *Sweep) shift(series int, delta int64) {
	t := &s.tracks[series]
	t.level += delta
	if series < s.own {
		s.total.level += delta
	}
	if !t.touched {
		t.touched = true
		s.touched = append(s.touched, series)
	}
}

// settle lets the levels be seen, once all changes of the instant at are netted.
func (s *Sweep) settle() {
	if s.until < s.window.Start { // nothing of the window is known
		return
	}
	for _, series := range s.touched {
		t := &s.tracks[series]
		t.touched = false
		t.settle(s.at, s.window.Bucket)
	}
	s.touched = s.touched[:0]
	s.total.settle(s.at, s.window.Bucket)
}

// finish extends a track over the rest of what is known and finds the peak of its window.
func (s *Sweep) finish(t *track) Series {
	t.WindowPeakAt = s.window.Start
	if s.until < s.window.Start {
		return t.Series
	}
	t.extend(min(s.now, s.window.End()), s.window.Bucket)
	t.WindowPeak, t.WindowPeakAt = t.Peak[0], t.PeakAt[0]
	for i := 1; i <= t.bucket; i++ {
		if t.Peak[i] > t.WindowPeak {
			t.WindowPeak, t.WindowPeakAt = t.Peak[i], t.PeakAt[i]
		}
	}
	return t.Series
}
