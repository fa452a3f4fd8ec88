package timeline

import (
	"slices"

	"tasktide/internal/concurrency"
	"tasktide/internal/store"
)

// fromRows stands for the audit's rows, below the finest tier of cells.
const fromRows = -1

// piece is a span [from, to) and where its numbers come from: the cells of a tier, by its index in
// [concurrency.Tiers], or rows.
type piece struct {
	tier     int
	from, to int64
}

// plan knows which cells cannot be used.
type plan struct {
	marked  []int64                 // first instants of the minutes that have marks, ascending
	damaged map[store.BlockKey]bool // blocks that cannot be read; without their kind
}

// mark makes a plan do without the cells of marked minutes.
func (p *plan) mark(marks []store.Mark) {
	for _, mark := range marks {
		if n := len(p.marked); n == 0 || p.marked[n-1] != mark.Minute {
			p.marked = append(p.marked, mark.Minute)
		}
	}
}

// clean returns the first instant at or after from, at most to, that is not in usable cells of a tier, all
// of which begin in [from, to). Cells begin at from.
func (p *plan) clean(tier int, from, to int64) int64 {
	width := concurrency.Tiers()[tier].Width
	if i, _ := slices.BinarySearch(p.marked, from); i < len(p.marked) && p.marked[i] < to {
		to = p.marked[i] - (p.marked[i]-from)%width
	}
	if len(p.damaged) > 0 {
		for at := from; at < to; at += width {
			if p.damaged[blockKey(tier, at)] {
				return at
			}
		}
	}
	return to
}

// blockKey is the key of the block that has the cell of a tier that begins at an instant, without its
// workflow and kind.
func blockKey(tier int, at int64) store.BlockKey {
	t := concurrency.Tiers()[tier]
	return store.BlockKey{Width: t.Width, Start: t.BlockStart(at)}
}

// cover appends to pieces what the span [from, to) is best read from: the cells of a tier, as far as they
// are whole and can be used, and for the rest those of finer ones or rows. Pieces are in order, and no two
// neighbours come from the same.
func (p *plan) cover(pieces []piece, from, to int64, tier int) []piece {
	if from >= to {
		return pieces
	}
	if tier == fromRows {
		return add(pieces, piece{fromRows, from, to})
	}
	width := concurrency.Tiers()[tier].Width
	first, last := (from+width-1)/width*width, to/width*width
	if first >= last {
		return p.cover(pieces, from, to, tier-1)
	}
	pieces = p.cover(pieces, from, first, tier-1)
	for at := first; at < last; {
		if end := p.clean(tier, at, last); end > at {
			pieces = add(pieces, piece{tier, at, end})
			at = end
			continue
		}
		pieces = p.cover(pieces, at, at+width, tier-1)
		at += width
	}
	return p.cover(pieces, last, to, tier-1)
}

func add(pieces []piece, next piece) []piece {
	if n := len(pieces); n > 0 && pieces[n-1].tier == next.tier && pieces[n-1].to == next.from {
		pieces[n-1].to = next.to
		return pieces
	}
	return append(pieces, next)
}

const (
	// manySpans is from how many spans of rows on it is cheaper to read those between them too.
	manySpans = 32
	// shortGap is how long a span of cells between rows may be to be read as rows as well.
	shortGap = hour
)

// join reads the short spans of cells between many spans of rows from rows too: right after an import nearly
// each minute is marked that has any, and a question to the database for each of them takes longer than the
// few rows that are between. Rows before rowsFrom are gone.
func join(pieces []piece, rowsFrom int64) []piece {
	spans := 0
	for _, p := range pieces {
		if p.tier == fromRows {
			spans++
		}
	}
	if spans < manySpans {
		return pieces
	}
	var joined []piece
	for i := 0; i < len(pieces); i++ {
		last := len(joined) - 1
		// The end of the cells up to the next rows.
		next := i
		for next < len(pieces) && pieces[next].tier != fromRows {
			next++
		}
		if last >= 0 && joined[last].tier == fromRows && joined[last].from >= rowsFrom && next < len(pieces) &&
			pieces[next].from-joined[last].to <= shortGap {
			joined[last].to = pieces[next].to
			i = next
			continue
		}
		joined = append(joined, pieces[i])
	}
	return joined
}

// tierFor returns the coarsest tier whose cells make whole buckets, or rows.
func tierFor(bucket int64) int {
	tiers := concurrency.Tiers()
	for i, tier := range slices.Backward(tiers) {
		if bucket%tier.Width == 0 {
			return i
		}
	}
	return fromRows
}

// ranges returns the blocks that pieces need.
func ranges(pieces []piece) []store.BlockRange {
	var needed []store.BlockRange
	for _, p := range pieces {
		if p.tier == fromRows {
			continue
		}
		tier := concurrency.Tiers()[p.tier]
		r := store.BlockRange{Width: tier.Width, From: tier.BlockStart(p.from), Before: p.to}
		// A block in which a minute is marked is needed before and after it.
		if n := slices.IndexFunc(needed, func(o store.BlockRange) bool { return o.Width == r.Width && r.From <= o.Before }); n >= 0 {
			needed[n].Before = max(needed[n].Before, r.Before)
			continue
		}
		needed = append(needed, r)
	}
	return needed
}

// generationRanges returns blocks of which the greatest generation changes with every cell before an
// instant, and with few after it: as many coarse ones as lie before it, and ever finer ones after those.
func generationRanges(before int64) []store.BlockRange {
	var found []store.BlockRange
	from := int64(0)
	for i, tier := range slices.Backward(concurrency.Tiers()) {
		to := tier.BlockStart(before)
		if i == 0 {
			to = before
		}
		if to > from {
			found = append(found, store.BlockRange{Width: tier.Width, From: from, Before: to})
			from = to
		}
	}
	return found
}
