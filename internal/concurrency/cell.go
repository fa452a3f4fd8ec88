package concurrency

// Cell summarises one step function over the half-open span [a, a+Length), relative to the level just
// before a. Nothing in it is absolute, so what happens before a never changes it. A span without events
// is a cell of zeros; the zero Cell is no cell at all.
type Cell struct {
	Length  int64 // of the span, in microseconds
	Open    int64 // net change at exactly a
	Delta   int64 // net change over the span
	Peak    int64 // highest level in the span: at least Open and at least Delta, which may be negative
	PeakAt  int64 // first instant of Peak, in microseconds after a
	Area    int64 // integral of the relative level, in task-microseconds; may be negative
	Entered int64 // entries into the counted set
}

// Then returns the cell of this span and the one that follows it without a gap. It is associative, and
// no cell before or after changes nothing.
func (c Cell) Then(next Cell) Cell {
	if c.Length == 0 {
		return next
	}
	if next.Length == 0 {
		return c
	}
	merged := Cell{
		Length:  c.Length + next.Length,
		Open:    c.Open,
		Delta:   c.Delta + next.Delta,
		Peak:    c.Peak,
		PeakAt:  c.PeakAt,
		Area:    c.Area + c.Delta*next.Length + next.Area,
		Entered: c.Entered + next.Entered,
	}
	if peak := c.Delta + next.Peak; peak > c.Peak {
		merged.Peak, merged.PeakAt = peak, c.Length+next.PeakAt
	}
	return merged
}

// Beside returns a cell of two series together over the same span. All of it is exact but the peak: the
// two need not be at their highest at the same instant, so it is an upper bound, and its instant means
// nothing.
func (c Cell) Beside(other Cell) Cell {
	return Cell{
		Length:  c.Length,
		Open:    c.Open + other.Open,
		Delta:   c.Delta + other.Delta,
		Peak:    c.Peak + other.Peak,
		Area:    c.Area + other.Area,
		Entered: c.Entered + other.Entered,
	}
}

// quiet reports whether nothing happens in the span.
func (c Cell) quiet() bool { return c == Cell{Length: c.Length} }
