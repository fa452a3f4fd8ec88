package concurrency

import (
	"cmp"
	"math"
	"slices"
)

// Step is a limit of tasks that holds from an instant on.
type Step struct {
	From  int64
	Limit int64
}

// Saturation measures for how long levels were at their limits, which change: a level is at its limit while
// it is not below it. It is told what a [Sweep] is told, and in the same order, and counts the half-open
// span [start, end).
//
// A cell does not always tell how long a level was how high. What it leaves open counts as at the limit,
// all of it, until the changes there are told to [Saturation.Refine]. Make one with [NewSaturation]; it is
// not for use by several goroutines at once.
type Saturation struct {
	set        StatusSet
	start, end int64
	series     []gauge
	total      gauge
}

// Span is a half-open span of instants.
type Span struct{ From, To int64 }

// AtLimit says how long a level was at its limit.
type AtLimit struct {
	Micros int64
	// Resolution is 0 when that is exact. Otherwise it is an upper bound: every span of this many microseconds
	// counts as a whole in which the limit was reached, as far as the numbers tell.
	Resolution int64
}

// NewSaturation returns a measure of the tasks in set over [start, end): of those of series i against
// series[i], and of all together against total. Steps are in the order of their instants; before the first,
// and where there are none, there is no limit.
func NewSaturation(set StatusSet, start, end int64, series [][]Step, total []Step) *Saturation {
	s := &Saturation{set: set, start: start, end: end, series: make([]gauge, len(series)), total: newGauge(start, total)}
	for i, steps := range series {
		s.series[i] = newGauge(start, steps)
	}
	return s
}

// CarryLevel tells that a series' level, just before the span, is delta higher than told so far. It returns
// an error when there is no such series.
func (s *Saturation) CarryLevel(series int, delta int64) error {
	if err := checkSeries(series, len(s.series)); err != nil {
		return err
	}
	s.series[series].level += delta
	s.total.level += delta
	return nil
}

// AddCells counts what cells tell of the span [at, at+length), which lies within that of the saturation: a
// cell for each series in which something happens, and one for [Total], without which all are taken to be
// at their highest at once. It returns an error, and counts nothing, when there is no such series, or a cell
// is of another length.
func (s *Saturation) AddCells(at, length int64, entries []Entry) error {
	total, err := together(entries, length, len(s.series), len(s.series))
	if err != nil || len(entries) == 0 {
		return err
	}
	for i := range entries { // by index: an entry is long, and there are many
		if e := &entries[i]; e.Series != Total {
			s.series[e.Series].add(at, &e.Cell)
		}
	}
	s.total.add(at, &total)
	return nil
}

// Add counts a change. One before the span counts as carried, and one after it does not count. It returns
// an error when there is no such series.
func (s *Saturation) Add(c Change) error {
	if err := checkSeries(c.Series, len(s.series)); err != nil {
		return err
	}
	if delta := s.set.Delta(c.From, c.To); delta != 0 && c.At < s.end {
		s.series[c.Series].change(c.At, delta)
		s.total.change(c.At, delta)
	}
	return nil
}

// Open returns the spans that cells have left open, ascending and apart. It is asked once everything
// is told.
func (s *Saturation) Open() []Span {
	var all []Span
	for _, g := range slices.Concat(s.series, []gauge{s.total}) {
		for i := range g.open {
			all = append(all, Span{g.open[i].from, g.open[i].to})
		}
	}
	slices.SortFunc(all, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	var merged []Span
	for _, next := range all {
		if n := len(merged); n > 0 && next.From <= merged[n-1].To {
			merged[n-1].To = max(merged[n-1].To, next.To)
		} else {
			merged = append(merged, next)
		}
	}
	return merged
}

// Refine counts a change again that lies in a span that was left open, and ignores one that does not. They
// come in the order of their instants, all of those in open spans. It returns an error when there is no
// such series.
func (s *Saturation) Refine(c Change) error {
	if err := checkSeries(c.Series, len(s.series)); err != nil {
		return err
	}
	if delta := s.set.Delta(c.From, c.To); delta != 0 {
		s.series[c.Series].refine(c.At, delta)
		s.total.refine(c.At, delta)
	}
	return nil
}

// Result ends the measurement and returns it for each series and for all together. Refined says that every
// change in an open span has been told to [Saturation.Refine].
func (s *Saturation) Result(refined bool) (series []AtLimit, total AtLimit) {
	series = make([]AtLimit, len(s.series))
	for i := range s.series {
		series[i] = s.series[i].result(s.end, refined)
	}
	return series, s.total.result(s.end, refined)
}

// gauge holds one level against its limit.
type gauge struct {
	steps  []Step // those that hold from at on, the one that holds at first
	at     int64
	level  int64
	micros int64 // at the limit, before at
	open   []openSpan
	next   int // the first open span that does not end before the last change that was refined
}

// openSpan is a span of which a cell does not tell enough, and a gauge for the changes in it.
type openSpan struct {
	from, to int64
	gauge
}

func newGauge(at int64, steps []Step) gauge {
	g := gauge{steps: steps}
	g.skip(at)
	return g
}

// skip moves on without counting.
func (g *gauge) skip(to int64) {
	g.at = to
	for len(g.steps) > 1 && g.steps[1].From <= to {
		g.steps = g.steps[1:]
	}
}

// lowest returns the lowest limit of [at, to).
func (g *gauge) lowest(to int64) int64 {
	lowest := int64(math.MaxInt64)
	for _, step := range g.steps {
		if step.From >= to {
			break
		}
		lowest = min(lowest, step.Limit)
	}
	return lowest
}

// extend holds the level until an instant.
func (g *gauge) extend(to int64) {
	for g.at < to {
		end := to
		if len(g.steps) > 1 {
			end = min(end, g.steps[1].From)
		}
		if len(g.steps) > 0 && g.level >= g.steps[0].Limit {
			g.micros += max(0, end-max(g.at, g.steps[0].From))
		}
		g.skip(end)
	}
}

func (g *gauge) change(at, delta int64) {
	g.extend(at)
	g.level += delta
}

// add counts a cell that begins at an instant, as far as it tells.
func (g *gauge) add(at int64, c *Cell) {
	g.extend(at)
	before, end := g.level, at+c.Length
	switch {
	case before+c.Peak < g.lowest(end):
		g.skip(end)
	case c.Delta == c.Open && c.Peak == c.Open && c.Area == c.Open*c.Length:
		// Never higher than what it opens with, and as much on average: the level is the same throughout.
		g.level += c.Open
		g.extend(end)
	default:
		g.open = append(g.open, openSpan{at, end, gauge{steps: g.steps, at: at, level: before}})
		g.skip(end)
	}
	g.level = before + c.Delta
}

// refine counts a change in an open span.
func (g *gauge) refine(at, delta int64) {
	for g.next < len(g.open) && g.open[g.next].to <= at {
		g.next++
	}
	if g.next < len(g.open) && g.open[g.next].from <= at {
		g.open[g.next].change(at, delta)
	}
}

func (g *gauge) result(end int64, refined bool) AtLimit {
	g.extend(end)
	r := AtLimit{Micros: g.micros}
	for i := range g.open {
		open := &g.open[i]
		if refined {
			open.extend(open.to)
			r.Micros += open.micros
		} else {
			r.Micros += open.to - open.from
			r.Resolution = max(r.Resolution, open.to-open.from)
		}
	}
	return r
}
