package concurrency_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/concurrency"
)

// Pauses between steps, as decode reads them.
const (
	noPause  = 0
	instant  = 2
	quarter  = 4
	bucket   = 5
	longer   = 6
	farApart = 7
)

func FuzzCount(f *testing.F) {
	const (
		none = 0
		back = -20 // quarter buckets: five buckets before the window's start
	)
	header := func(fields ...byte) []byte { return fields }
	for _, parts := range [][][]byte{
		// Nothing at all, and a window without a bucket.
		{},
		{header(0, 0, 4, 0, 0, none, 0), life(0, 1, "GQIORD", bucket)},
		// Ties within a task, among tasks, and with the edges of buckets.
		{header(0, 0, 4, 6, 0, none, 0), life(0, 3, "GQIORD", noPause), life(0, 4, "GQIOR", noPause)},
		{header(1, 0, 5, 6, 0, none, 1), life(0, 0, "QRD", bucket), life(1, 4, "QRD", bucket), life(0, 8, "QRD", bucket)},
		// A run of length zero while another runs.
		{header(0, 0, 4, 6, 3, none, 2), life(0, 2, "RD", longer), life(0, 6, "RD", noPause)},
		// Open runs, one of them carried in, cut by now.
		{header(2, 2, 4, 9, 250, 120, 3), life(0, 0, "GQIOR", quarter), life(2, back, "GQIOR", bucket)},
		// Runs far longer than the window, of days.
		{header(1, 0, 7, 12, 1, none, 4), life(0, back, "GQIORD", farApart), life(1, -126, "RD", farApart)},
		// Rows out of order, with retries.
		{
			header(3, 2, 6, 8, 200, 200, 5),
			life(3, 5, "GQIREGQ", instant), life(2, 9, "QREAQRD", bucket), life(1, back, "QIOREF", quarter),
		},
		// Now before the window, and on the edge of a bucket.
		{header(0, 0, 4, 6, 0, 1, 6), life(0, back, "GQIOR", bucket)},
		{header(0, 0, 4, 4, 0, 71, 7), life(0, 1, "GQIOR", quarter)},
		// Buckets of one microsecond.
		{header(0, 3, 0, 12, 0, none, 8), life(0, 2, "GQIORD", instant), life(0, 2, "GQIORD", instant)},
	} {
		f.Add(slices.Concat(parts...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2_000 {
			t.Skip("the oracle is slow")
		}
		s := decode(data)
		got, err := concurrency.Count(s.window, s.set(), s.series, s.now, s.changes())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.answer(), got); diff != "" {
			t.Errorf("%+v: engine (+) and oracle (-) differ:\n%s", s, diff)
		}
	})
}

// FuzzDecodeBlock reads any bytes as a block, as they are and with a checksum that makes them one: their
// last four bytes replaced, and all of them kept. The shape that it asks for is the one they claim.
func FuzzDecodeBlock(f *testing.F) {
	hours, _, _ := blockOf(runs(60), hour)
	for _, block := range []*concurrency.Block{
		concurrency.NewBlock(1, 0), concurrency.NewBlock(60_000_000, 1440), smallBlock(), hours,
	} {
		f.Add(block.Encode())
		f.Add(body(block))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) == 0 {
			t.Skip("there is no version")
		}
		var width, count uint64
		if n, length := binary.Uvarint(data[1:]); length > 0 {
			width = n
			count, _ = binary.Uvarint(data[1+length:])
		}
		if width == 0 || width > 1<<50 || count > 5000 {
			t.Skip("no caller asks for this shape")
		}
		readAnyBlock(t, data, int64(width), int(count))
		readAnyBlock(t, withChecksum(data), int64(width), int(count))
		readAnyBlock(t, withChecksum(data[:max(1, len(data)-4)]), int64(width), int(count))
	})
}

// readAnyBlock fails the test when what is read from data is not what it is after it was stored again.
func readAnyBlock(t *testing.T, data []byte, width int64, count int) {
	t.Helper()
	block, err := concurrency.DecodeBlock(data, width, count)
	if err != nil {
		return
	}
	if len(block.Series()) > len(data) {
		t.Fatalf("%d series in %d bytes", len(block.Series()), len(data))
	}
	cells, damaged := make([][]entry, count), make([]bool, count)
	for i := range cells {
		entries, err := block.Append(nil, i)
		for j, e := range entries {
			if e.Series < concurrency.Total || e.Series >= len(block.Series()) || j > 0 && e.Series <= entries[j-1].Series ||
				e.Length != width || e.PeakAt < 0 || e.PeakAt >= width {
				t.Fatalf("cell %d has the entries %+v", i, entries)
			}
		}
		if damaged[i] = err != nil; damaged[i] {
			continue
		}
		// Cells of zeros may be stored, and are not stored again.
		cells[i] = slices.DeleteFunc(entries, func(e entry) bool { return e.Cell == cell{Length: width} })
		block.Put(i, slices.Clone(cells[i]))
	}

	again := decoded(t, block, width, count)
	same(t, "series", block.Series(), again.Series())
	for i := range cells {
		entries, err := again.Append(nil, i)
		if damaged[i] != (err != nil) {
			t.Fatalf("cell %d: error %v, and damaged before: %t", i, err, damaged[i])
		}
		if !damaged[i] && !slices.Equal(cells[i], entries) {
			t.Fatalf("cell %d: %+v were %+v", i, entries, cells[i])
		}
	}

	whole := concurrency.NewBlock(width*int64(count), 1)
	if count == 0 {
		return
	}
	if err := whole.Sum(0, again, 0, count); (err != nil) != slices.Contains(damaged, true) {
		t.Fatalf("sum: %v", err)
	}
	if _, err := whole.Append(nil, 0); err != nil {
		t.Fatalf("sum of all cells: %v", err)
	}
}
