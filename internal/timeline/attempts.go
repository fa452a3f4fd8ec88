package timeline

import (
	"slices"

	"tasktide/internal/concurrency"
)

// Attempts says which attempts at tasks a series counts. The time that tasks wait for an attempt belongs to none,
// and counts with the first ones.
type Attempts string

// The parts of a series that is split.
const (
	FirstAttempts Attempts = "first"
	LaterAttempts Attempts = "later"
)

// A question that splits attempts counts, after its series, each of them once more of later attempts only and, as
// long as it reads rows, once more of first ones. Cells tell only what is left for these without the later ones.

// partSeries returns how many series more than the answer's are counted.
func (q *question) partSeries() int {
	switch {
	case !q.split:
		return 0
	case q.tier == fromRows:
		return 2 * q.series.count()
	default:
		return q.series.count()
	}
}

// seen returns a change as each series sees it that counts it.
func (q *question) seen(c concurrency.Change) []concurrency.Change {
	if !q.split {
		return []concurrency.Change{c}
	}
	later, first := c.OfRetries(), c.OfFirst()
	later.Series += q.series.count()
	if q.tier != fromRows {
		return []concurrency.Change{c, later}
	}
	first.Series += 2 * q.series.count()
	return []concurrency.Change{c, later, first}
}

// carryLevel tells the counter what a cell of a series changed, before the window.
func (r *reading) carryLevel(series int, delta int64) error {
	if err := r.counter.CarryLevel(series, delta); err != nil || !r.split || r.tier != fromRows {
		return err
	}
	n := r.series.count()
	if series < n {
		return r.counter.CarryLevel(series+2*n, delta)
	}
	return r.counter.CarryLevel(series+n, -delta)
}

// splitAttempts puts in place of each series that of its first attempts and that of its later ones. parts are n
// series of later attempts and, unless cells were read, n of first ones.
func (a *Answer) splitAttempts(parts []concurrency.Series, n int) {
	whole, names := a.Series, a.Templates
	a.Series, a.Templates = nil, nil
	a.UpperBound.FirstPeaks = false
	for i, all := range whole {
		later := parts[i]
		var first concurrency.Series
		if len(parts) > n {
			first = parts[n+i]
		} else {
			var exact bool
			first, exact = without(all, later)
			a.UpperBound.FirstPeaks = a.UpperBound.FirstPeaks || !exact
		}
		a.Series = append(a.Series, first, later)
		a.Templates = append(a.Templates, names[i], names[i])
		a.Attempts = append(a.Attempts, FirstAttempts, LaterAttempts)
	}
	for i, defect := range a.Defects {
		series := defect.Series % n
		switch {
		case series >= len(whole):
			a.Defects[i].Series = len(a.Series) // of Other
		case defect.Series/n == 1:
			a.Defects[i].Series = 2*series + 1
		default:
			a.Defects[i].Series = 2 * series
		}
	}
}

// without returns what is left of a series without a part of it. Where there is something of the part, the most of
// what is left is not known, and the most of all is what it cannot exceed.
func without(all, part concurrency.Series) (left concurrency.Series, exact bool) {
	minus := func(a, b []int64) []int64 {
		differences := make([]int64, len(a))
		for i := range a {
			differences[i] = a[i] - b[i]
		}
		return differences
	}
	left = all
	left.Start, left.Entered, left.Area = minus(all.Start, part.Start), minus(all.Entered, part.Entered), minus(all.Area, part.Area)
	nobody := func(values []int64) bool { return !slices.ContainsFunc(values, func(v int64) bool { return v != 0 }) }
	return left, nobody(part.Peak) && nobody(part.Entered)
}
