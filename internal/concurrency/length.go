package concurrency

import (
	"math"
	"math/bits"

	"tasktide/internal/jobmon"
)

// Lengths of time are sorted into classes: each microsecond is one up to 64, then every power of two is cut
// into 64 of equal width. So a length that is told from its class is off by no more than 1/128 of itself.
const (
	classBits     = 6
	lengthClasses = (64 - classBits) << classBits
)

// LengthError is how far a quantile of [Lengths] may lie from the true one, as a share of that.
const LengthError = 1.0 / (2 << classBits)

// classOf returns the class of a length in microseconds; one below zero counts as zero.
func classOf(length int64) int {
	value := uint64(max(length, 0))
	octave := max(bits.Len64(value)-1-classBits, 0)
	return octave<<classBits + int(value>>octave) //nolint:gosec // less than twice 1<<classBits
}

// lengthOf returns the middle of a class, in microseconds.
func lengthOf(class int) int64 {
	octave := max(class>>classBits-1, 0)
	return int64(class-octave<<classBits)<<octave + int64(1)<<octave>>1
}

// RunOf returns the class of [Runs] of the run that a change ends, and false when it ends none in DONE.
func RunOf(c Change) (class int, ended bool) {
	return classOf(c.At - c.Since), c.From == jobmon.TaskRunning && c.To == jobmon.TaskDone
}

// Lengths is how often lengths of time of each class came up. The zero value has none. Two are merged by adding
// the numbers of their classes.
type Lengths struct {
	counts [lengthClasses]int64
	count  int64
}

// Add adds n lengths of a class of [Runs].
func (l *Lengths) Add(class int, n int64) {
	l.counts[class] += n
	l.count += n
}

// AddLength adds a length in microseconds.
func (l *Lengths) AddLength(length int64) { l.Add(classOf(length), 1) }

// Count returns how many lengths there are.
func (l *Lengths) Count() int64 { return l.count }

// Quantile returns the least length that is not exceeded by a share of the lengths, above 0 and up to 1, in
// microseconds; it may be off by [LengthError]. It is false when there are none.
func (l *Lengths) Quantile(share float64) (length int64, ok bool) {
	rank := int64(math.Ceil(share * float64(l.count)))
	for class, n := range l.counts {
		if rank -= n; n > 0 && rank <= 0 {
			return lengthOf(class), true
		}
	}
	return 0, false
}
