package timeline_test

import (
	"context"
	"fmt"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

const hour = 60 * minute

// The finest buckets are chosen of which there are few enough, and the coarsest when there are none.
func TestTheBucketThatIsChosen(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", ran("a", 0, 10))
	for _, c := range []struct {
		span   int64 // seconds
		points int
		bucket int64 // seconds
		count  int
	}{
		{60, 1, 60, 1}, {61, 1, 300, 1}, {3600, 1, 3600, 1}, {3601, 1, 6 * 3600, 1}, {5 * 3600, 1, 6 * 3600, 1},
		{86400, 1, 86400, 2},      // from noon on these are two days, and there is nothing coarser
		{86400, 7, 6 * 3600, 4},   // four of six hours fit, and 24 of an hour do not
		{7 * 3600, 7, 3600, 7},    // as many as are allowed
		{7*3600 + 1, 7, 21600, 2}, // one more
		{1500, 1500, 1, 1500}, {1500, 0, 1, 1500}, {1501, 1500, 5, 301}, {1501, 0, 5, 301}, {1501, 1501, 1, 1501},
		{50_000, 50_000, 1, 50_000}, {50_001, 50_000, 5, 10_001}, {10 * 86400, 50_000, 30, 28_800},
		{100, 200_000, 1, 100}, {200_000, 200_000, 5, 40_000}, // no more than any answer may have
	} {
		answer, err := timeline.New(db, nil).Concurrency(context.Background(), timeline.Request{
			WorkflowID: id, Start: noon, End: new(noon + c.span*second), MaxPoints: c.points, Statuses: running,
		})
		if err != nil {
			t.Errorf("%d s in %d points: %v", c.span, c.points, err)
			continue
		}
		if got := answer.Window; got.Bucket != c.bucket*second || got.Count != c.count || got.Start > noon || got.End() < noon+c.span*second {
			t.Errorf("%d s in %d points: %d buckets of %d s", c.span, c.points, got.Count, got.Bucket/second)
		}
	}
}

// Buckets finer than a minute need rows; where they are removed, coarser ones are chosen. All of a workflow
// is what is still known of it.
func TestTheBucketThatIsChosenAfterTheRows(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", ran("a", 0, 10))
	set := func(rowsFrom, dataFrom int64) {
		t.Helper()
		err := db.Maintain(t.Context(), func(ctx context.Context, tx store.UpkeepTx) error {
			h, err := tx.LockHorizon(ctx, id)
			if err != nil {
				return err
			}
			h.RowsFrom, h.DataFrom, h.FirstAt = rowsFrom, dataFrom, noon-30*24*hour
			return tx.SaveHorizon(ctx, h)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	bucketOf := func(request timeline.Request) int64 {
		t.Helper()
		request.WorkflowID, request.Statuses = id, running
		answer, err := timeline.New(db, nil).Concurrency(context.Background(), request)
		if err != nil {
			t.Fatalf("%+v: %v", request, err)
		}
		return answer.Window.Bucket
	}
	set(noon, 0)
	for from, want := range map[int64]int64{noon: second, noon - 1: minute, noon - hour: minute, noon + hour: second} {
		if got := bucketOf(timeline.Request{Start: from, End: new(from + 100*second)}); got != want {
			t.Errorf("from %d s after the horizon on: buckets of %d s", (from-noon)/second, got/second)
		}
	}
	midnight := noon - 12*hour
	set(noon, midnight-5*24*hour)
	for _, bucket := range append(timeline.Buckets(), 0) {
		request := timeline.Request{WorkflowID: id, All: true, Bucket: bucket, Statuses: running}
		answer, err := timeline.New(db, nil).Concurrency(context.Background(), request)
		if bucket != 0 && bucket < minute {
			if jobmon.ErrorCode(err) != jobmon.CodeInvalid { // too many buckets, or before the rows
				t.Errorf("all in buckets of %d s: %v", bucket/second, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("all in buckets of %d s: %v", bucket/second, err)
			continue
		}
		w := answer.Window
		if w.Start != midnight-5*24*hour || w.Start%w.Bucket != 0 || w.End() <= noon+10*second {
			t.Errorf("all in buckets of %d s: %+v", bucket/second, w)
		}
	}
	// A horizon within a day: buckets that begin before it are left out.
	set(noon, noon-hour)
	for bucket, want := range map[int64]int64{hour: noon - hour, 6 * hour: noon, 24 * hour: midnight + 24*hour} {
		answer, err := timeline.New(db, nil).Concurrency(context.Background(), timeline.Request{WorkflowID: id, All: true, Bucket: bucket, Statuses: running})
		if err != nil || answer.Window.Start != want {
			t.Errorf("all in buckets of %d h: from %s, %v", bucket/hour, fmt.Sprint((answer.Window.Start-noon)/hour), err)
		}
	}
}
