package storetest

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"tasktide/internal/concurrency"
	"tasktide/internal/store"
)

// block describes a block of the workflow.
func (f *fixture) block(kind string, width, start, generation int64, cells string) store.Block {
	return store.Block{
		BlockKey:   store.BlockKey{WorkflowID: f.workflow, Kind: kind, Width: width, Start: start},
		Generation: generation, Cells: []byte(cells),
	}
}

// everyBlock selects the blocks of the workflow that have cells of some widths.
func (f *fixture) everyBlock(widths ...int64) store.BlockFilter {
	filter := store.BlockFilter{WorkflowID: f.workflow}
	for _, kind := range concurrency.Kinds() {
		filter.Kinds = append(filter.Kinds, kind.Name)
	}
	for _, width := range widths {
		filter.Ranges = append(filter.Ranges, store.BlockRange{Width: width, Before: math.MaxInt64})
	}
	return filter
}

func (f *fixture) saveBlocks(blocks ...store.Block) {
	f.Helper()
	f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
		f.ok(lockHorizon(f.workflow)(ctx, tx))
		return tx.SaveBlocks(ctx, blocks)
	})
}

// blocks returns the blocks that match, and demands that they are in order and tell their generation.
func (f *fixture) blocks(filter store.BlockFilter) (blocks []store.Block) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		blocks, err = view.Blocks(ctx, filter)
		f.ok(err)
		newest := int64(0)
		for i, b := range blocks {
			newest = max(newest, b.Generation)
			if i > 0 && cmp.Or(cmp.Compare(blocks[i-1].Width, b.Width), cmp.Compare(blocks[i-1].Start, b.Start)) > 0 {
				f.Errorf("block %+v comes after %+v", b.BlockKey, blocks[i-1].BlockKey)
			}
		}
		generation, err := view.BlockGeneration(ctx, filter)
		if generation != newest {
			f.Errorf("the greatest generation is %d, and it says %d", newest, generation)
		}
		return err
	})
	return blocks
}

// sameBlocks demands the same blocks in any order.
func sameBlocks(t tester, what string, got []store.Block, want ...store.Block) {
	t.Helper()
	order := func(a, b store.Block) int {
		return cmp.Or(
			cmp.Compare(a.WorkflowID, b.WorkflowID), cmp.Compare(a.Width, b.Width), cmp.Compare(a.Start, b.Start), cmp.Compare(a.Kind, b.Kind))
	}
	got, want = slices.SortedFunc(slices.Values(got), order), slices.SortedFunc(slices.Values(want), order)
	if len(got) != len(want) {
		t.Errorf("%s: %d blocks, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if got[i].BlockKey != want[i].BlockKey || got[i].Generation != want[i].Generation || !bytes.Equal(got[i].Cells, want[i].Cells) {
			t.Errorf("%s: got %+v of generation %d with %.40q, want %+v of %d with %.40q", what, got[i].BlockKey, got[i].Generation,
				got[i].Cells, want[i].BlockKey, want[i].Generation, want[i].Cells)
		}
	}
}

// someBytes returns every byte after every other.
func someBytes() []byte {
	var data []byte
	for a := range 256 {
		for b := range 256 {
			data = append(data, byte(a), byte(b))
		}
	}
	return data
}

var blockTests = map[string]func(t *testing.T, s store.Store){
	"ABlockKeepsEveryByte": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		var want []store.Block
		for i, cells := range [][]byte{
			{}, {0}, someBytes(), []byte("'\\'; -- \x00\x1a\r\n\"`%_?$1"), bytes.Repeat([]byte{0xff}, 300), []byte(`\x00`), []byte("0x41"),
		} {
			want = append(want, f.block("R", minute, sharp+int64(i)*hour, int64(i), string(cells)))
		}
		f.saveBlocks(want...)
		sameBlocks(t, "blocks", f.blocks(f.everyBlock(minute)), want...)
	},

	"LargeBlocks": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		random := rand.NewChaCha8([32]byte{1})
		var want []store.Block
		// Together they are more than a server accepts in one statement.
		for i, size := range []int{10, 3 << 20, 3<<20 + 1, 20, 600 << 10, 600 << 10, 1 << 20, 0, 3 << 20, 3 << 20, 3 << 20, 3 << 20, 30} {
			cells := make([]byte, size)
			_, _ = random.Read(cells) // which never fails
			want = append(want, f.block("ACTIVE", 24*hour, int64(i)*32*24*hour, 1, string(cells)))
		}
		f.saveBlocks(want...)
		sameBlocks(t, "blocks", f.blocks(f.everyBlock(24*hour)), want...)
		for i := range want { // by what takes as long to write
			slices.Reverse(want[i].Cells)
			want[i].Generation = 2
		}
		f.saveBlocks(want...)
		sameBlocks(t, "overwritten", f.blocks(f.everyBlock(24*hour)), want...)
	},

	"ManyBlocksAtOnce": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		var want []store.Block
		var filter store.BlockFilter
		for i := range int64(1500) { // more than a statement has rows
			want = append(want, f.block("R", minute, i*hour, i+1, fmt.Sprint(i)))
			filter.Ranges = append(filter.Ranges, store.BlockRange{Width: minute, From: i * hour, Before: i*hour + 1})
		}
		f.saveBlocks(want...)
		sameBlocks(t, "blocks", f.blocks(f.everyBlock(minute)), want...)
		// As many ranges, as of a history that is marked everywhere.
		filter.WorkflowID, filter.Kinds = f.workflow, []string{"Q", "R", "ACTIVE"}
		slices.Reverse(filter.Ranges)
		sameBlocks(t, "one by one", f.blocks(filter), want...)
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			return tx.DeleteBlocks(ctx, f.workflow, filter.Ranges[1:])
		})
		sameBlocks(t, "the last", f.blocks(f.everyBlock(minute)), want[1499])
	},

	"SavedBlocksTakeThePlaceOfTheirs": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 0), newFixture(t, s, "b", 0)
		others := []store.Block{
			other.block("R", minute, sharp, 9, "other's"), other.block("Q", 0, 0, 8, "other's sum"),
		}
		other.saveBlocks(others...)
		f.saveBlocks() // none
		stored := []store.Block{
			f.block("R", minute, sharp, 1, "a"), f.block("Q", minute, sharp, 2, "b"), f.block("R", minute, sharp+hour, 3, "c"),
			f.block("R", hour, sharp, 4, "d"), f.block("R", 0, 0, 5, "e"), f.block("PENDING", minute, sharp, 6, "f"),
		}
		f.saveBlocks(stored...)
		sameBlocks(t, "blocks", f.blocks(f.everyBlock(minute, 0, hour)), stored...)
		for i := range stored { // one is overwritten after the other, together with a new one
			stored[i].Generation, stored[i].Cells = 20-int64(i), fmt.Appendf(nil, "now %d", i)
			more := f.block("D", minute, sharp+int64(i)*hour, 1, "more")
			f.saveBlocks(more, stored[i])
			stored = append(stored, more)
			sameBlocks(t, fmt.Sprintf("after %d", i), f.blocks(f.everyBlock(minute, hour, 0)), stored...)
		}
		sameBlocks(t, "other's", other.blocks(other.everyBlock(minute, 0)), others...)
	},

	"BlocksAreSelectedByTheirBeginning": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 0), newFixture(t, s, "b", 0)
		other.saveBlocks(other.block("R", minute, sharp, 99, ""))
		a, b, c := f.block("R", minute, sharp, 7, "a"), f.block("R", minute, sharp+hour, 3, "b"), f.block("Q", minute, sharp+hour, 5, "c")
		d, e, g := f.block("R", hour, sharp, 4, "d"), f.block("ACTIVE", hour, sharp+48*hour, 6, "e"), f.block("R", 0, 0, 2, "g")
		f.saveBlocks(e, g, c, a, d, b)
		rangeOf := func(width, from, before int64) store.BlockRange {
			return store.BlockRange{Width: width, From: from, Before: before}
		}
		for _, test := range []struct {
			kinds  string
			ranges []store.BlockRange
			want   []store.Block
		}{
			{"R", []store.BlockRange{rangeOf(minute, sharp, sharp+hour)}, []store.Block{a}},
			{"R", []store.BlockRange{rangeOf(minute, sharp, sharp+hour+1)}, []store.Block{a, b}},
			{"R", []store.BlockRange{rangeOf(minute, sharp+1, sharp+hour+1)}, []store.Block{b}},
			{"R", []store.BlockRange{rangeOf(minute, sharp-minute+1, sharp+1)}, []store.Block{a}},
			{"R", []store.BlockRange{rangeOf(minute, sharp+hour, sharp)}, nil},
			{"R", []store.BlockRange{rangeOf(minute, sharp, sharp)}, nil},
			{"R", []store.BlockRange{rangeOf(minute, math.MinInt64, math.MaxInt64)}, []store.Block{a, b}},
			{"R", []store.BlockRange{rangeOf(10*minute, 0, math.MaxInt64)}, nil},
			{"Q", []store.BlockRange{rangeOf(minute, 0, math.MaxInt64), rangeOf(hour, 0, math.MaxInt64)}, []store.Block{c}},
			{"QR", []store.BlockRange{rangeOf(hour, 0, math.MaxInt64), rangeOf(minute, 0, math.MaxInt64)}, []store.Block{a, b, c, d}},
			{"RQ", []store.BlockRange{rangeOf(minute, sharp+hour, sharp+2*hour), rangeOf(minute, sharp, sharp+hour)}, []store.Block{a, b, c}},
			{"*R", []store.BlockRange{rangeOf(hour, sharp, sharp+49*hour), rangeOf(0, 0, 1)}, []store.Block{g, d, e}},
			{"*", []store.BlockRange{rangeOf(hour, sharp, sharp+48*hour)}, nil},
			{"R", []store.BlockRange{rangeOf(0, 0, 1)}, []store.Block{g}},
			{"RQ*", nil, nil},
			{"", []store.BlockRange{rangeOf(minute, 0, math.MaxInt64)}, nil},
			{"D", []store.BlockRange{rangeOf(minute, 0, math.MaxInt64)}, nil},
		} {
			filter := store.BlockFilter{WorkflowID: f.workflow, Ranges: test.ranges}
			for _, kind := range test.kinds {
				filter.Kinds = append(filter.Kinds, map[rune]string{'*': "ACTIVE", 'R': "R", 'Q': "Q", 'D': "D"}[kind])
			}
			sameBlocks(t, fmt.Sprint(filter), f.blocks(filter), test.want...)
		}
	},

	"DeletedBlocksAreThoseOfARange": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 0), newFixture(t, s, "b", 0)
		kinds := concurrency.Kinds()
		others := []store.Block{other.block("R", minute, sharp, 1, "o"), other.block("R", 0, 0, 1, "p")}
		other.saveBlocks(others...)
		var left []store.Block
		for _, kind := range kinds {
			for _, width := range []int64{minute, 10 * minute} {
				for start := range int64(4) {
					left = append(left, f.block(kind.Name, width, sharp+start*12*hour, 1, kind.Name))
				}
			}
			left = append(left, f.block(kind.Name, 0, 0, 1, "sum"))
		}
		f.saveBlocks(left...)
		for _, ranges := range [][]store.BlockRange{
			nil,
			{{Width: minute, From: sharp, Before: sharp}, {Width: minute, From: sharp + hour, Before: sharp}, {Width: hour, Before: math.MaxInt64}},
			{{Width: minute, From: sharp + 12*hour, Before: sharp + 24*hour}},
			{{Width: minute, From: sharp + 1, Before: sharp + 24*hour + 1}, {Width: 10 * minute, From: math.MinInt64, Before: sharp + 12*hour}},
			{{Width: 0, From: 0, Before: 1}, {Width: 10 * minute, From: sharp + 36*hour, Before: math.MaxInt64}},
		} {
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error { return tx.DeleteBlocks(ctx, f.workflow, ranges) })
			left = slices.DeleteFunc(left, func(b store.Block) bool {
				return slices.ContainsFunc(ranges, func(r store.BlockRange) bool {
					return b.Width == r.Width && b.Start >= r.From && b.Start < r.Before
				})
			})
			sameBlocks(t, fmt.Sprint("after ", ranges), f.blocks(f.everyBlock(minute, 10*minute, 0)), left...)
		}
		if len(left) != 4*len(kinds) {
			t.Errorf("%d blocks are left", len(left))
		}
		sameBlocks(t, "other's", other.blocks(other.everyBlock(minute, 0)), others...)
	},

	"AViewDoesNotSeeABlockChange": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		first := f.block("R", minute, sharp, 1, "first")
		f.saveBlocks(first)
		f.view(func(ctx context.Context, view store.Snapshot) error {
			next := first
			next.Generation, next.Cells = 2, []byte("next")
			f.saveBlocks(next)
			blocks, err := view.Blocks(ctx, f.everyBlock(minute))
			sameBlocks(t, "in a view of before", blocks, first)
			f.ok(err)
			generation, err := view.BlockGeneration(ctx, f.everyBlock(minute))
			if generation != 1 {
				t.Errorf("it sees generation %d", generation)
			}
			return err
		})
	},
}
