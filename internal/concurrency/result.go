package concurrency

import "math"

// Result is what a [Sweep] counted.
//
// What is known ends at Now: the bucket that contains it is partial, and the buckets that begin
// after it are all zeros.
type Result struct {
	Window Window
	Now    int64
	Series []Series // by index
	Total  Series   // all series together: the numbers of the joint step function
	// Defects lists the series whose level was negative in the window, by instant, then series. It is
	// empty unless the audit's chains are broken.
	Defects []Defect
}

// Series holds the numbers of one series, or of all together. Each slice has one number a bucket.
// Start, Entered and Area add over series; Peak does not.
type Series struct {
	Start   []int64 // level at the bucket's first instant, what happens at that instant included
	Peak    []int64 // highest level in the bucket, up to and including now
	PeakAt  []int64 // first instant of Peak; the bucket's first instant where nothing happens
	Entered []int64 // changes from outside the set into it, those at now included
	Area    []int64 // integral of the level over the bucket, before now, in task-microseconds

	WindowPeak   int64 // highest Peak of the window
	WindowPeakAt int64 // first instant of WindowPeak; the window's start where nothing is known
}

// Defect says that a level was negative: the audit told that more tasks left a status than had
// entered it. The numbers are left as the rows make them.
type Defect struct {
	Series int
	At     int64 // first instant in the window at which the level was negative
	Level  int64 // the level at that instant
}

// PartialFrom returns the first instant of the bucket that contains now, and false when now is
// outside the window.
func (r Result) PartialFrom() (start int64, ok bool) {
	if r.Now < r.Window.Start || r.Now >= r.Window.End() {
		return 0, false
	}
	past := (r.Now - r.Window.Start) % r.Window.Bucket
	return r.Now - past, true
}

// Elapsed returns how much of bucket i lies before now, in microseconds: its whole width, less for
// the bucket that contains now, and 0 for those after it.
func (r Result) Elapsed(i int) int64 {
	start := r.Window.BucketStart(i)
	return min(max(start, r.Now), start+r.Window.Bucket) - start
}

// MeanHundredths returns the mean level of series s over the elapsed part of bucket i, in hundredths
// of a task, rounded half away from zero. Where nothing has elapsed it is the level at the bucket's
// start. Areas add over series exactly; means rounded here may differ from theirs in the last digit.
func (r Result) MeanHundredths(s Series, i int) int64 {
	elapsed := r.Elapsed(i)
	if elapsed == 0 {
		return s.Start[i] * 100
	}
	// The rest is scaled apart: 100 times the area of a million tasks over two days overflows.
	whole, rest := s.Area[i]/elapsed, s.Area[i]%elapsed
	rounding := elapsed / 2
	if rest < 0 {
		rounding = -rounding
	}
	return whole*100 + (rest*100+rounding)/elapsed
}

// TaskSeconds returns the time that tasks spent in the set within the window and before now, in
// task-seconds. It is the float64 nearest to the exact number up to 2^53 microseconds, which is 285
// task-years, and right to 16 digits beyond.
func (s Series) TaskSeconds() float64 {
	// A million tasks that are DONE for a year are more task-microseconds than an int64 holds.
	var seconds, micros int64
	for _, area := range s.Area {
		seconds += area / 1e6
		micros += area % 1e6
	}
	seconds += micros / 1e6
	micros %= 1e6
	const most = math.MaxInt64/1_000_000 - 1
	if -most <= seconds && seconds <= most {
		return float64(seconds*1e6+micros) / 1e6
	}
	return float64(seconds)
}
