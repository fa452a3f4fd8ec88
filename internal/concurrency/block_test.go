package concurrency_test

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
)

type (
	entry = concurrency.Entry
	cell  = concurrency.Cell
)

// cellsOf returns the entries of every cell of a block.
func cellsOf(t rapid.TB, b *concurrency.Block, count int) [][]entry {
	t.Helper()
	cells := make([][]entry, count)
	for i := range cells {
		var err error
		if cells[i], err = b.Append(nil, i); err != nil {
			t.Fatalf("cell %d: %v", i, err)
		}
	}
	return cells
}

// decoded returns the block as it is after it was stored and read.
func decoded(t rapid.TB, b *concurrency.Block, width int64, count int) *concurrency.Block {
	t.Helper()
	again, err := concurrency.DecodeBlock(b.Encode(), width, count)
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// anyNumber generates numbers as they occur, areas of millions of tasks over years among them, and the
// extremes of what can be held.
func anyNumber() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Just[int64](0), rapid.Int64Range(-3, 3), rapid.Int64Range(-1e6, 1e6),
		rapid.Int64Range(-1e18, 1e18), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64}),
	)
}

// entriesOf generates entries for a cell of a block with series 0 to series-1, in any order.
func entriesOf(width int64, series int) *rapid.Generator[[]entry] {
	one := rapid.Custom(func(t *rapid.T) entry {
		e := entry{Series: rapid.IntRange(concurrency.Total, series-1).Draw(t, "series"), Cell: cell{Length: width}}
		if rapid.IntRange(0, 5).Draw(t, "quiet") == 0 {
			return e
		}
		n := anyNumber()
		e.Open, e.Delta, e.Peak = n.Draw(t, "open"), n.Draw(t, "delta"), n.Draw(t, "peak")
		e.Area, e.Entered = n.Draw(t, "area"), n.Draw(t, "entered")
		e.PeakAt = rapid.OneOf(rapid.Int64Range(0, width-1), rapid.SampledFrom([]int64{0, width - 1})).Draw(t, "peak at")
		return e
	})
	return rapid.SliceOfNDistinct(one, 0, series+1, func(e entry) int { return e.Series })
}

// A model of a block is kept beside it through puts and replacements, storing and reading.
func TestBlockHoldsWhatWasPut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.SampledFrom([]int64{1, 60_000_000, 86_400_000_000, math.MaxInt64}).Draw(t, "width")
		count := rapid.IntRange(0, 200).Draw(t, "count")
		ids := rapid.SliceOfNDistinct(rapid.Int64(), 0, 200, rapid.ID).Draw(t, "ids")
		block := concurrency.NewBlock(width, count)
		for i, id := range ids {
			same(t, "index of a new series", i, block.Index(id))
		}
		want := make([][]entry, count)
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			if count > 0 && rapid.IntRange(0, 3).Draw(t, "put") > 0 {
				i := rapid.IntRange(0, count-1).Draw(t, "cell")
				entries := entriesOf(width, len(ids)).Draw(t, "entries")
				want[i] = nil
				for _, e := range entries {
					if e.Cell != (cell{Length: width}) { // a cell of zeros is none
						want[i] = append(want[i], e)
					}
				}
				slices.SortFunc(want[i], func(a, b entry) int { return a.Series - b.Series })
				block.Put(i, entries)
			} else {
				data := block.Encode()
				before := slices.Clone(data)
				again := decoded(t, block, width, count)
				same(t, "encoded again", before, again.Encode())
				block = again
			}
		}
		for range 2 {
			same(t, "cells", want, cellsOf(t, block, count))
			for i, id := range ids {
				same(t, "index of a series that is there", i, block.Index(id))
			}
			same(t, "ids", append([]int64{}, ids...), append([]int64{}, block.Series()...))
			block = decoded(t, block, width, count)
		}
	})
}

// Append leaves what is in the slice already, of its caller's or of another cell.
func TestAppendAppends(t *testing.T) {
	block := concurrency.NewBlock(10, 2)
	block.Index(7)
	a := entry{Series: 0, Cell: cell{Length: 10, Delta: 1, Peak: 1, PeakAt: 2, Area: 8, Entered: 1}}
	b := entry{Series: concurrency.Total, Cell: cell{Length: 10, Open: -1, Delta: -1, Peak: -1, Area: -10}}
	block.Put(0, []entry{a})
	block.Put(1, []entry{b, a})
	entries, err := block.Append([]entry{{Series: 5}}, 0)
	if err == nil {
		entries, err = block.Append(entries, 1)
	}
	if err != nil {
		t.Fatal(err)
	}
	same(t, "entries", []entry{{Series: 5}, a, b, a}, entries)
}

// A block that was read refers to the bytes that it was read from, so it must not write to them.
func TestABlockLeavesTheBytesThatItWasReadFrom(t *testing.T) {
	data := smallBlock().Encode()
	before := slices.Clone(data)
	block, err := concurrency.DecodeBlock(data, 60, 5)
	if err != nil {
		t.Fatal(err)
	}
	block.Index(99)
	for i := range 5 {
		block.Put(i, []entry{{Series: 2, Cell: cell{Length: 60, Area: math.MaxInt64, Peak: -1, PeakAt: 59}}})
	}
	block.Encode()
	same(t, "bytes", before, data)
}

func TestPutPanicsForACellOfAnotherLength(t *testing.T) {
	for _, length := range []int64{0, 59, 61, 120} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("a cell of %d was put into a block of cells of 60", length)
				}
			}()
			smallBlock().Put(0, []entry{{Series: 0, Cell: cell{Length: length, Delta: 1}}})
		}()
	}
}

// smallBlock returns a block of five cells of 60, with three series and every field in use.
func smallBlock() *concurrency.Block {
	block := concurrency.NewBlock(60, 5)
	for _, id := range []int64{-3, 1 << 40, math.MinInt64} {
		block.Index(id)
	}
	block.Put(1, []entry{
		{Series: concurrency.Total, Cell: cell{Length: 60, Open: 1, Delta: -2, Peak: 3, PeakAt: 7, Area: -71, Entered: 5}},
		{Series: 0, Cell: cell{Length: 60, Delta: 1, Peak: 1, PeakAt: 59, Area: 1, Entered: 1}},
		{Series: 2, Cell: cell{Length: 60, Delta: -3, Area: -150}},
	})
	block.Put(4, []entry{{Series: 1, Cell: cell{Length: 60, Open: 300, Delta: 300, Peak: 300, Area: 18_000, Entered: 300}}})
	return block
}

// withChecksum returns the bytes of a block with the checksum that belongs to them.
func withChecksum(body []byte) []byte {
	sum := crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli))
	return binary.BigEndian.AppendUint32(slices.Clone(body), sum)
}

// body returns the bytes of a block without its checksum.
func body(b *concurrency.Block) []byte {
	data := b.Encode()
	return data[:len(data)-4]
}

// A checksum of 32 bits finds every change within one byte for certain.
func TestDamageIsSeen(t *testing.T) {
	data := smallBlock().Encode()
	if _, err := concurrency.DecodeBlock(data, 60, 5); err != nil {
		t.Fatal(err)
	}
	for i, right := range data {
		for wrong := range 256 {
			if data[i] = byte(wrong); data[i] == right {
				continue
			}
			if _, err := concurrency.DecodeBlock(data, 60, 5); err == nil {
				t.Errorf("byte %d: %#x instead of %#x was not seen", i, wrong, right)
			}
		}
		data[i] = right
	}
	for length := range data {
		if _, err := concurrency.DecodeBlock(data[:length], 60, 5); err == nil {
			t.Errorf("%d of %d bytes were taken for a block", length, len(data))
		}
		if _, err := concurrency.DecodeBlock(data[len(data)-length:], 60, 5); err == nil {
			t.Errorf("the last %d of %d bytes were taken for a block", length, len(data))
		}
	}
	for extra := range 256 {
		if _, err := concurrency.DecodeBlock(append(slices.Clone(data), byte(extra)), 60, 5); err == nil {
			t.Errorf("a byte %#x more was not seen", extra)
		}
	}
}

func TestABlockOfAnotherShapeIsRefused(t *testing.T) {
	data := smallBlock().Encode()
	for _, shape := range []struct {
		width int64
		count int
	}{{59, 5}, {61, 5}, {60, 4}, {60, 6}, {60, 0}, {5, 60}, {60 << 7, 5}} {
		if _, err := concurrency.DecodeBlock(data, shape.width, shape.count); err == nil {
			t.Errorf("taken for %d cells of %d", shape.count, shape.width)
		}
		// Its cells would fit where there are none.
		if _, err := concurrency.DecodeBlock(concurrency.NewBlock(60, 5).Encode(), shape.width, shape.count); err == nil {
			t.Errorf("an empty block was taken for %d cells of %d", shape.count, shape.width)
		}
	}
	for _, version := range []byte{0, 2, 129, 255} {
		other := body(smallBlock())
		other[0] = version
		_, err := concurrency.DecodeBlock(withChecksum(other), 60, 5)
		if err == nil || !strings.Contains(err.Error(), "version") {
			t.Errorf("version %d: error %v", version, err)
		}
	}
}

// What a program with a defect, or an enemy, might have given a checksum: it is refused when it is read,
// or when its cells are, and costs no more memory than its bytes allow.
func TestNonsenseWithAChecksumIsRefused(t *testing.T) {
	const version, width, count = 1, 60, 5
	huge := binary.AppendUvarint(nil, math.MaxUint64)
	endless := slices.Repeat([]byte{0x80}, 12)
	for _, example := range []struct {
		name  string
		parts [][]byte
		reads bool // and only Append of cell 0 sees it
	}{
		{name: "nothing"},
		{name: "nothing but a version", parts: [][]byte{{version}}},
		{name: "no count", parts: [][]byte{{version, width}}},
		{name: "no number of series", parts: [][]byte{{version, width, count}}},
		{name: "more series than bytes", parts: [][]byte{{version, width, count, 2, 1}}},
		{name: "far more series than bytes", parts: [][]byte{{version, width, count}, huge}},
		{name: "a number of series without an end", parts: [][]byte{{version, width, count}, endless}},
		{name: "an id without an end", parts: [][]byte{{version, width, count, 1}, endless}},
		{name: "an id that is cut", parts: [][]byte{{version, width, count, 1, 0x80}}},
		{name: "an id twice", parts: [][]byte{{version, width, count, 3, 2, 4, 2}}},
		{name: "a cell past the last", parts: [][]byte{{version, width, count, 0, 5, 2, 0, 0}}},
		{name: "a second cell past the last", parts: [][]byte{{version, width, count, 0, 4, 2, 0, 0, 0, 2, 0, 0}}},
		{name: "a cell before the one ahead of it", parts: [][]byte{{version, width, count, 0, 4, 3, 0, 2, 2}, binary.AppendUvarint(nil, math.MaxUint64-3), {3, 0, 2, 2}}},
		{name: "a cell far past the last", parts: [][]byte{{version, width, count, 0}, huge, {2, 0, 0}}},
		{name: "a cell without a length", parts: [][]byte{{version, width, count, 0, 1}}},
		{name: "a cell longer than the data", parts: [][]byte{{version, width, count, 0, 1, 3, 0, 0}}},
		{name: "a cell far longer than the data", parts: [][]byte{{version, width, count, 0, 1}, huge, {0, 0}}},
		{name: "a length without an end", parts: [][]byte{{version, width, count, 0, 1}, endless}},
		{name: "a series past the last", reads: true, parts: [][]byte{{version, width, count, 1, 0, 0, 4, 2, 1, 0, 2}}},
		{name: "a second series past the last", reads: true, parts: [][]byte{{version, width, count, 1, 0, 0, 8, 0, 1, 0, 2, 2, 1, 0, 2}}},
		{name: "a series far past the last", reads: true, parts: [][]byte{{version, width, count, 0, 0, 12}, huge, {2, 2}}},
		{name: "a series without an end", reads: true, parts: [][]byte{{version, width, count, 0, 0, 12}, endless}},
		{name: "a series without a cell", reads: true, parts: [][]byte{{version, width, count, 0, 0, 1, 0}}},
		{name: "half of what a cell begins with", reads: true, parts: [][]byte{{version, width, count, 0, 0, 2, 0, 1}}},
		{name: "a field that is not there", reads: true, parts: [][]byte{{version, width, count, 0, 0, 3, 0, 1, 0}}},
		{name: "a field without an end", reads: true, parts: [][]byte{{version, width, count, 0, 0, 15, 0, 0, 0x80}, endless}},
		{name: "a peak before its cell", reads: true, parts: [][]byte{{version, width, count, 0, 0, 4, 0, 64, 0, 1}}},
		{name: "a peak after its cell", reads: true, parts: [][]byte{{version, width, count, 0, 0, 4, 0, 64, 0, 120}}},
	} {
		t.Run(example.name, func(t *testing.T) {
			block, err := concurrency.DecodeBlock(withChecksum(slices.Concat(example.parts...)), width, count)
			if !example.reads {
				if err == nil {
					t.Error("it was read")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if entries, err := block.Append(nil, 0); err == nil {
				t.Errorf("its cell was taken for %+v", entries)
			}

			// Nothing is made of a damaged block, and what was there stays.
			coarse := concurrency.NewBlock(2*width, 1)
			coarse.Put(0, []entry{{Series: concurrency.Total, Cell: cell{Length: 2 * width, Entered: 1}}})
			before := coarse.Encode()
			if coarse.Sum(0, block, 0, 2) == nil {
				t.Error("it was summed")
			}
			same(t, "the coarser block", before, coarse.Encode())
		})
	}
}

func TestALieAboutTheNumberOfSeriesCostsNoMemory(t *testing.T) {
	data := withChecksum(binary.AppendUvarint([]byte{1, 60, 5}, 1<<24))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := concurrency.DecodeBlock(data, 60, 5)
	runtime.ReadMemStats(&after)
	if cost := after.TotalAlloc - before.TotalAlloc; err == nil || cost > 1<<20 {
		t.Errorf("error %v, after %d bytes of memory", err, cost)
	}
}

// Most cells of minutes hold a single event: what follows from it is not stored.
func TestACellOfOneEventIsShort(t *testing.T) {
	const width, at = 60_000_000, 30_000_000
	block := concurrency.NewBlock(width, 1)
	block.Index(7)
	empty := len(block.Encode())
	for name, event := range map[string]cell{
		"one enters": {Length: width, Delta: 1, Peak: 1, PeakAt: at, Area: width - at, Entered: 1},
		"two enter":  {Length: width, Delta: 2, Peak: 2, PeakAt: at, Area: 2 * (width - at), Entered: 2},
	} {
		block.Put(0, []entry{{Series: 0, Cell: event}})
		// The cell's place and length, the series, what is stored, a change of level and an instant.
		if length := len(block.Encode()) - empty; length != 2+1+2+1+4 {
			t.Errorf("%s: %d bytes", name, length)
		}
	}
}

func TestSumAddsTheSeriesThatItNeeds(t *testing.T) {
	fine := concurrency.NewBlock(60, 4)
	for _, id := range []int64{30, 10, 20} { // their indexes are 0, 1 and 2
		fine.Index(id)
	}
	enters := func(at, length int64) cell {
		return cell{Length: length, Delta: 1, Peak: 1, PeakAt: at, Area: length - at, Entered: 1}
	}
	fine.Put(0, []entry{{Series: 1, Cell: enters(5, 60)}})
	fine.Put(2, []entry{{Series: concurrency.Total, Cell: enters(7, 60)}, {Series: 2, Cell: enters(7, 60)}})

	coarse := concurrency.NewBlock(120, 2)
	coarse.Index(20)
	for i := range 2 {
		if err := coarse.Sum(i, fine, 2*i, 2*i+2); err != nil {
			t.Fatal(err)
		}
	}
	same(t, "series: 30 has nothing", []int64{20, 10}, coarse.Series())
	want := [][]entry{
		{{Series: 1, Cell: enters(5, 120)}},
		{{Series: concurrency.Total, Cell: enters(7, 120)}, {Series: 0, Cell: enters(7, 120)}},
	}
	same(t, "cells", want, cellsOf(t, coarse, 2))

	// What there was is replaced, also by nothing.
	if err := coarse.Sum(0, fine, 2, 4); err != nil {
		t.Fatal(err)
	}
	fine.Put(2, nil)
	if err := coarse.Sum(1, fine, 2, 4); err != nil {
		t.Fatal(err)
	}
	same(t, "cells after a change", [][]entry{want[1], nil}, cellsOf(t, coarse, 2))
}
