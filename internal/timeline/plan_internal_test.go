package timeline

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/store"
)

// anInstant generates instants of some days, on the bounds of cells and beside them.
func anInstant(t *rapid.T, name string) int64 {
	unit := rapid.SampledFrom([]int64{second, minute, 10 * minute, 30 * minute, hour, 24 * hour}).Draw(t, name+" unit")
	at := rapid.Int64Range(0, 80*24*hour/unit).Draw(t, name) * unit
	return max(at+rapid.SampledFrom([]int64{0, 0, 0, -1, 1}).Draw(t, name+" beside"), 0)
}

// aPlan generates marks and damage about a span.
func aPlan(t *rapid.T, from, to int64) *plan {
	p := &plan{damaged: map[store.BlockKey]bool{}}
	near := func(name string) int64 {
		at := rapid.OneOf(rapid.Int64Range(from, max(from, to)), rapid.SampledFrom([]int64{from, to, max(to-1, 0)})).Draw(t, name)
		return at - at%minute
	}
	for range rapid.IntRange(0, 4).Draw(t, "marks") {
		p.marked = append(p.marked, near("mark"))
	}
	slices.Sort(p.marked)
	p.marked = slices.Compact(p.marked)
	for range rapid.IntRange(0, 3).Draw(t, "damaged blocks") {
		tier := rapid.IntRange(0, len(concurrency.Tiers())-1).Draw(t, "damaged tier")
		p.damaged[blockKey(tier, near("damaged"))] = true
	}
	return p
}

// usable says, from scratch, whether the cell of a tier that begins at an instant may be read.
func (p *plan) usable(tier int, at int64) bool {
	shape := concurrency.Tiers()[tier]
	if at%shape.Width != 0 || p.damaged[store.BlockKey{Width: shape.Width, Start: shape.BlockStart(at)}] {
		return false
	}
	return !slices.ContainsFunc(p.marked, func(m int64) bool { return m >= at && m < at+shape.Width })
}

func TestPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := anInstant(t, "from")
		to := from + anInstant(t, "length")
		coarsest := rapid.IntRange(fromRows, len(concurrency.Tiers())-1).Draw(t, "coarsest tier")
		p := aPlan(t, from, to)
		pieces := p.cover(nil, from, to, coarsest)
		at := from
		for i, piece := range pieces {
			if piece.from != at || piece.to <= piece.from || piece.tier > coarsest || piece.tier < fromRows {
				t.Fatalf("piece %d of %+v of [%d, %d)", i, pieces, from, to)
			}
			if i > 0 && pieces[i-1].tier == piece.tier {
				t.Fatalf("pieces %d and %d of %+v are one", i-1, i, pieces)
			}
			at = piece.to
			if piece.tier == fromRows {
				continue
			}
			width := concurrency.Tiers()[piece.tier].Width
			if piece.to%width != 0 {
				t.Fatalf("%+v ends within a cell", piece)
			}
			for cell := piece.from; cell < piece.to; cell += width {
				if !p.usable(piece.tier, cell) {
					t.Fatalf("the cell of %+v at %d cannot be used", piece, cell)
				}
			}
		}
		if at != max(from, to) {
			t.Fatalf("%+v does not cover [%d, %d)", pieces, from, to)
		}
		p.nothingIsCoarser(t, pieces, coarsest)
	})
}

// nothingIsCoarser demands that no usable cell of an allowed tier lies in finer pieces.
func (p *plan) nothingIsCoarser(t *rapid.T, pieces []piece, coarsest int) {
	for tier := range coarsest + 1 {
		width := concurrency.Tiers()[tier].Width
		for i, first := range pieces {
			if first.tier >= tier {
				continue
			}
			// The finer pieces that go on without a coarser one between them.
			last := first
			for _, next := range pieces[i+1:] {
				if next.tier >= tier {
					break
				}
				last = next
			}
			for at := (first.from + width - 1) / width * width; at+width <= last.to && at < first.to; at += width {
				if p.usable(tier, at) {
					t.Fatalf("the cell of tier %d at %d is split: %+v", tier, at, pieces)
				}
			}
		}
	}
}

func TestRangesHoldWhatPiecesNeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// A window, and before it what is carried into it.
		start := anInstant(t, "start")
		end := start + anInstant(t, "length")
		p := aPlan(t, 0, end)
		tiers := concurrency.Tiers()
		pieces := p.cover(nil, 0, start, len(tiers)-1)
		pieces = p.cover(pieces, start, end, rapid.IntRange(fromRows, len(tiers)-1).Draw(t, "tier"))
		needed := map[store.BlockKey]bool{}
		for _, piece := range pieces {
			if piece.tier == fromRows {
				continue
			}
			for at := piece.from; at < piece.to; at += tiers[piece.tier].Width {
				needed[blockKey(piece.tier, at)] = true
			}
		}
		chosen := ranges(pieces)
		within := func(r store.BlockRange, key store.BlockKey) bool {
			return r.Width == key.Width && r.From <= key.Start && key.Start < r.Before
		}
		for key := range needed {
			times := 0
			for _, r := range chosen {
				if within(r, key) {
					times++
				}
			}
			if times != 1 {
				t.Fatalf("the block %+v is read %d times by %+v for %+v", key, times, chosen, pieces)
			}
		}
		for key := range p.damaged {
			if !needed[key] && slices.ContainsFunc(chosen, func(r store.BlockRange) bool { return within(r, key) }) {
				t.Fatalf("the damaged block %+v is read again by %+v for %+v", key, chosen, pieces)
			}
		}
	})
}

func TestTheTierOfABucket(t *testing.T) {
	for bucket, want := range map[int64]int{
		second: fromRows, 5 * second: fromRows, 30 * second: fromRows, 90 * second: fromRows, minute: 0, 5 * minute: 0,
		10 * minute: 1, 20 * minute: 1, 30 * minute: 2, 90 * minute: 2, hour: 3, 6 * hour: 3, 24 * hour: 4, 36 * hour: 3, 48 * hour: 4,
	} {
		if got := tierFor(bucket); got != want {
			t.Errorf("buckets of %d s: tier %d, want %d", bucket/second, got, want)
		}
	}
}

// A map of blocks' generations stands for the database: a roll-up changes one block of every tier.
func TestTheGenerationOfWhatCameBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := anInstant(t, "before")
		chosen := generationRanges(before)
		next := int64(0)
		for _, r := range chosen {
			if r.From != next || r.Before <= r.From {
				t.Fatalf("%+v do not go through [0, %d)", chosen, before)
			}
			next = r.Before
		}
		if next != before {
			t.Fatalf("%+v do not go through [0, %d)", chosen, before)
		}
		generations := map[store.BlockKey]int64{}
		generation := int64(0)
		rollUp := func(at int64) {
			generation++
			for tier := range concurrency.Tiers() {
				generations[blockKey(tier, at)] = generation
			}
		}
		newest := func() (newest int64) {
			for key, g := range generations {
				if slices.ContainsFunc(chosen, func(r store.BlockRange) bool {
					return r.Width == key.Width && r.From <= key.Start && key.Start < r.Before
				}) {
					newest = max(newest, g)
				}
			}
			return newest
		}
		end := (before + hour - 1) / hour * hour // of the hour that contains the last instant before
		for range rapid.IntRange(1, 8).Draw(t, "roll-ups") {
			was := newest()
			if before > 0 && rapid.Bool().Draw(t, "before") {
				at := rapid.OneOf(rapid.Int64Range(0, before-1), rapid.Int64Range(max(before-hour, 0), before-1)).Draw(t, "minute")
				rollUp(at - at%minute)
				if newest() == was {
					t.Fatalf("a roll-up at %d does not show before %d: %+v", at, before, chosen)
				}
				continue
			}
			at := end + rapid.OneOf(rapid.Int64Range(0, 2*hour), rapid.Int64Range(0, 40*24*hour)).Draw(t, "minute after")
			rollUp(at - at%minute)
			if newest() != was {
				t.Fatalf("a roll-up at %d shows before %d: %+v", at, before, chosen)
			}
		}
	})
}

// Between many spans of rows, short spans of cells are read as rows, and nothing else changes.
func TestManySpansOfRowsBecomeFew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pieces []piece
		at := int64(0)
		for range rapid.IntRange(0, 120).Draw(t, "pieces") {
			tier := rapid.IntRange(fromRows, 3).Draw(t, "tier")
			length := rapid.SampledFrom([]int64{1, 10, 60, 61, 300}).Draw(t, "minutes") * minute
			pieces = add(pieces, piece{tier, at, at + length})
			at += length
		}
		rowsFrom := rapid.Int64Range(0, 3000).Draw(t, "rows from") * minute
		rows := func(pieces []piece) (n int) {
			for _, p := range pieces {
				if p.tier == fromRows {
					n++
				}
			}
			return n
		}
		joined := join(slices.Clone(pieces), rowsFrom)
		if rows(pieces) < manySpans && !slices.Equal(joined, pieces) {
			t.Fatalf("%v became %v", pieces, joined)
		}
		end := int64(0)
		for i, p := range joined {
			if p.from != end || p.from >= p.to {
				t.Fatalf("%v: piece %d does not follow", joined, i)
			}
			end = p.to
			if p.tier != fromRows && !slices.Contains(pieces, p) {
				t.Fatalf("%v is none of %v", p, pieces)
			}
			if p.tier == fromRows && p.from < rowsFrom && !slices.Contains(pieces, p) {
				t.Fatalf("%v reads rows before %d", p, rowsFrom)
			}
			short := p.tier != fromRows && p.to-p.from <= shortGap && i > 0 && i+1 < len(joined) &&
				joined[i-1].tier == fromRows && joined[i+1].tier == fromRows && joined[i-1].from >= rowsFrom
			if rows(pieces) >= manySpans && short {
				t.Fatalf("%v was not joined in %v", p, joined)
			}
		}
		if end != at {
			t.Fatalf("%v ends at %d and not at %d", joined, end, at)
		}
	})
}
