package upkeep_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/runlog"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
	"tasktide/internal/testfiles"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// A whole run gives the same numbers from its rows, from its cells, and from its cells alone, on every database.
func TestWholeRunsOutliveTheirRows(t *testing.T) {
	testfiles.EachRun(t, outliveRows)
}

func outliveRows(t *testing.T, known testfiles.Run) {
	t.Helper()
	file, err := os.Open(known.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	run, err := runlog.ParseNextflow(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range testdb.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			stored := kind.Open(t)
			defer stored.Close()
			db := clocked{stored, time.Now().UnixMicro() + 100*day}
			id := loadToExpire(t, db, "run", run.Tasks)
			fromRows := numbersOf(t, db, id)
			pass(t, upkeep.NewRollUp(db, quiet).Pass)
			fromCells := numbersOf(t, db, id)
			retention, err := newRetention(db, quiet, 90*24*time.Hour, 0)
			if err != nil {
				t.Fatal(err)
			}
			pass(t, retention.Pass)
			t.Logf("%d rows were removed", retention.Progress().Rows)
			if err := db.View(t.Context(), func(ctx context.Context, snapshot store.Snapshot) error {
				left, err := snapshot.CountTransitions(ctx, store.TransitionFilter{WorkflowID: id, Before: store.MaxInstant}, 1)
				if left != 0 {
					t.Error("there are rows left")
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
			fromCellsAlone := numbersOf(t, db, id)
			if diff := cmp.Diff(fromRows, fromCells); diff != "" {
				t.Errorf("from cells (-rows +cells):\n%s", diff)
			}
			if diff := cmp.Diff(fromRows, fromCellsAlone); diff != "" {
				t.Errorf("from cells alone (-rows +cells):\n%s", diff)
			}
			for bucket, answer := range fromCellsAlone {
				total, want := answer.Total, known.All()
				at := time.UnixMicro(total.WindowPeakAt).UTC().Format("15:04:05.000")
				if total.WindowPeak != int64(want.Peak) || at != want.PeakAt || total.TaskSeconds() != want.TaskSeconds {
					t.Errorf("by %v: %d at %s, %v task-seconds", time.Duration(bucket)*time.Microsecond, total.WindowPeak, at, total.TaskSeconds())
				}
			}
		})
	}
}

// numbersOf asks for all numbers of the whole run, at every bucket that needs no rows.
func numbersOf(t *testing.T, db store.Reader, id int64) map[int64]concurrency.Result {
	t.Helper()
	answers := map[int64]concurrency.Result{}
	for _, bucket := range timeline.Buckets() {
		if bucket < minute {
			continue
		}
		answer, err := timeline.New(db, nil).Concurrency(t.Context(), timeline.Request{
			WorkflowID: id, All: true, Bucket: bucket, Statuses: concurrency.Of(jobmon.TaskRunning),
		})
		if err != nil {
			t.Fatal(err)
		}
		if answer.UpperBound != (timeline.UpperBound{}) {
			t.Errorf("by %d: %+v", bucket, answer.UpperBound)
		}
		answers[bucket] = answer.Result
	}
	return answers
}
