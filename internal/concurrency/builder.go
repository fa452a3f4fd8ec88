package concurrency

import (
	"fmt"
	"maps"
	"slices"
)

// Builder makes cells of the changes of one span after another, for every kind at once. It is not for
// use by several goroutines at once.
type Builder struct {
	start, length int64
	last          int64 // instant of the last change, as an offset
	kinds         []map[int]*making
}

// making is a cell in the making.
type making struct {
	cell  Cell
	level int64 // with every change told so far
	seen  int64 // level that holds from since on
	since int64 // as offsets
	at    int64 // instant of the changes that are being netted
}

// NewBuilder returns a builder for the span [start, start+length).
func NewBuilder(start, length int64) *Builder {
	b := &Builder{start: start, length: length, kinds: make([]map[int]*making, len(kinds))}
	for i := range b.kinds {
		b.kinds[i] = map[int]*making{}
	}
	return b
}

// Add counts a change. They come in the order of their instants, within the span; otherwise, and
// when a series is negative, it returns an error and counts nothing.
func (b *Builder) Add(c Change) error {
	if c.Series < 0 {
		return fmt.Errorf("a change names series %d", c.Series)
	}
	at := c.At - b.start
	if at < b.last || at >= b.length {
		return fmt.Errorf("a change at %d is not in the span of %d from %d on, or before the one ahead of it", c.At, b.length, b.start)
	}
	b.last = at
	seen := kinds
	if !c.FromRetry && !c.ToRetry {
		seen = kinds[:firstRetry]
	}
	for i := range seen { // by index: this is done for every row
		if delta := seen[i].delta(c); delta != 0 {
			b.shift(i, c.Series, at, delta)
			b.shift(i, Total, at, delta)
		}
	}
	if class, ended := RunOf(c); ended {
		b.made(runs, int(Runs.Series(int64(c.Series), class))).cell.Entered++
	}
	return nil
}

// firstRetry is the index of the first kind that counts attempts after the first only, and runs that of [Runs].
var (
	firstRetry = slices.IndexFunc(kinds, func(k Kind) bool { return k.Retries })
	runs       = len(kinds) - 1
)

// made returns the cell of a series that is in the making.
func (b *Builder) made(kind, series int) *making {
	m := b.kinds[kind][series]
	if m == nil {
		m = &making{}
		b.kinds[kind][series] = m
	}
	return m
}

func (b *Builder) shift(kind, series int, at, delta int64) {
	m := b.made(kind, series)
	if at != m.at {
		m.settle()
		m.at = at
	}
	m.level += delta
	if delta > 0 {
		m.cell.Entered++
	}
}

// settle lets the level be seen, once all changes of the instant at are netted.
func (m *making) settle() {
	m.cell.Area += m.seen * (m.at - m.since)
	m.since = m.at
	m.seen = m.level
	if m.at == 0 {
		m.cell.Open, m.cell.Peak = m.level, m.level
	} else if m.level > m.cell.Peak {
		m.cell.Peak, m.cell.PeakAt = m.level, m.at
	}
}

// Entries returns the cells of a kind, by its index in [Kinds]: of all series together first, then of
// each series in which something happens by index, which for [Runs] is that of [Kind.Series]. It may be asked
// again.
func (b *Builder) Entries(kind int) []Entry {
	entries := make([]Entry, 0, len(b.kinds[kind]))
	for _, series := range slices.Sorted(maps.Keys(b.kinds[kind])) {
		m := b.kinds[kind][series]
		m.settle()
		cell := m.cell // which stays as it is, so that it may be asked for again
		cell.Length = b.length
		cell.Delta = m.level
		cell.Area += m.level * (b.length - m.at)
		entries = append(entries, Entry{series, cell})
	}
	return entries
}
