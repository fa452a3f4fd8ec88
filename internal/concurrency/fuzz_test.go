package concurrency_test

import (
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
