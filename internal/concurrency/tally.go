package concurrency

import (
	"cmp"
	"slices"
)

// Tally adds up how long tasks were in a set over the half-open span [start, end), by series: what a
// [Sweep] of one bucket would call their areas, but exact however many tasks were in it for however long.
// It is told what a sweep is told, and in the same order. Make one with [NewTally]; it is not for use by
// several goroutines at once.
type Tally struct {
	set        StatusSet
	start, end int64
	series     []sum
}

// sum is the time of one series up to an instant.
type sum struct {
	at, level       int64
	seconds, micros int64 // the latter from 0 to less than a second, so that one time is written in one way
}

// NewTally returns a tally of the tasks in set over [start, end) for series 0 to series-1. What happens
// from end on does not count.
func NewTally(set StatusSet, start, end int64, series int) *Tally {
	t := &Tally{set: set, start: start, end: end, series: make([]sum, series)}
	for i := range t.series {
		t.series[i].at = start
	}
	return t
}

// CarryLevel tells that a series' level, just before the span, is delta higher than told so far. It
// returns an error when there is no such series.
func (t *Tally) CarryLevel(series int, delta int64) error {
	if err := checkSeries(series, len(t.series)); err != nil {
		return err
	}
	t.series[series].level += delta
	return nil
}

// AddCells counts what cells tell of the span [at, at+length), which lies within the tally's. It returns
// an error when there is no such series.
func (t *Tally) AddCells(at, length int64, entries []Entry) error {
	for i := range entries { // by index: an entry is long, and there are many
		e := &entries[i]
		if e.Series == Total {
			continue
		}
		if err := checkSeries(e.Series, len(t.series)); err != nil {
			return err
		}
		s := &t.series[e.Series]
		s.extend(at)
		s.extend(at + length)
		s.add(e.Area/1e6, e.Area%1e6)
		s.level += e.Delta
	}
	return nil
}

// Add counts a change. One before the span counts as carried, and one after it does not count. It returns
// an error when there is no such series.
func (t *Tally) Add(c Change) error {
	if err := checkSeries(c.Series, len(t.series)); err != nil {
		return err
	}
	if delta := t.set.Delta(c.From, c.To); delta != 0 && c.At < t.end {
		t.series[c.Series].extend(c.At)
		t.series[c.Series].level += delta
	}
	return nil
}

// extend holds the level until an instant.
func (s *sum) extend(to int64) {
	if past := to - s.at; past > 0 {
		s.add(s.level*(past/1e6), s.level*(past%1e6))
		s.at = to
	}
}

func (s *sum) add(seconds, micros int64) {
	s.micros += micros
	whole := floor(s.micros, 1e6)
	s.seconds += seconds + whole/1e6
	s.micros -= whole
}

// Most returns the n series with the most time, by ascending index, or all of them when they are no more.
// Of series that have the same, those of lower index come first, so that who is chosen never depends on
// anything but the times.
func (t *Tally) Most(n int) []int {
	chosen := make([]int, len(t.series))
	for i := range chosen {
		chosen[i] = i
		t.series[i].extend(t.end)
	}
	if n < len(chosen) {
		slices.SortStableFunc(chosen, func(i, j int) int {
			a, b := t.series[i], t.series[j]
			return cmp.Or(cmp.Compare(b.seconds, a.seconds), cmp.Compare(b.micros, a.micros))
		})
		chosen = chosen[:n]
		slices.Sort(chosen)
	}
	return chosen
}
