package storetest

import (
	"context"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

var retentionTests = map[string]func(t *testing.T, s store.Store){
	"TheRetentionClockKeepsWhatItIsGiven": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		stored := func() (clock store.RetentionClock) {
			f.view(func(ctx context.Context, snapshot store.Snapshot) (err error) {
				clock, err = snapshot.RetentionClock(ctx)
				return err
			})
			return clock
		}
		if got := stored(); got != (store.RetentionClock{}) {
			t.Errorf("of an empty database: %+v", got)
		}
		for _, want := range []store.RetentionClock{
			{At: sharp, Passed: true, RowsBefore: begin, DataBefore: begin - hour}, {At: store.MaxInstant}, {RowsBefore: 1}, {},
		} {
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
				_, err := tx.LockRetentionClock(ctx)
				f.ok(err)
				return tx.SaveRetentionClock(ctx, want)
			})
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
				got, err := tx.LockRetentionClock(ctx)
				if got != want {
					t.Errorf("locked %+v, want %+v", got, want)
				}
				return err
			})
			if got := stored(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
	},

	"OneAtATimeChangesTheRetentionClock": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		const changes = 8
		f.ok(firstError(atOnce(changes, func(int) error {
			return s.Maintain(t.Context(), func(ctx context.Context, tx store.UpkeepTx) error {
				clock, err := tx.LockRetentionClock(ctx)
				if err != nil {
					return err
				}
				clock.At++
				return tx.SaveRetentionClock(ctx, clock)
			})
		})...))
		f.view(func(ctx context.Context, snapshot store.Snapshot) error {
			clock, err := snapshot.RetentionClock(ctx)
			if clock.At != changes {
				t.Errorf("%d changes of %d are stored", clock.At, changes)
			}
			return err
		})
	},

	"TheNewestRowIsTheOneThatWasStoredLast": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		newest := func(want int64) {
			t.Helper()
			f.view(func(ctx context.Context, snapshot store.Snapshot) error {
				got, err := snapshot.NewestStored(ctx)
				if got != want {
					t.Errorf("got %d, want %d", got, want)
				}
				return err
			})
		}
		newest(0)
		ids := newFixture(t, s, "b", 1).tasks
		newest(begin)
		f.move(sharp, jobmon.TaskQueued, ids...)
		newest(sharp)
		f.move(begin, jobmon.TaskInstantiating, ids...) // by a clock that was set back
		newest(begin)
	},

	"TheLatestHorizonIsThatOfAll": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 0), newFixture(t, s, "b", 0)
		latest := func(rows, data int64) {
			t.Helper()
			f.view(func(ctx context.Context, snapshot store.Snapshot) error {
				gotRows, gotData, err := snapshot.LatestHorizon(ctx)
				if gotRows != rows || gotData != data {
					t.Errorf("got %d and %d, want %d and %d", gotRows, gotData, rows, data)
				}
				return err
			})
		}
		latest(0, 0)
		for _, horizon := range []store.Horizon{
			{WorkflowID: f.workflow, RowsFrom: sharp + hour, DataFrom: begin}, {WorkflowID: other.workflow, RowsFrom: sharp, DataFrom: sharp},
		} {
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
				f.ok(lockHorizon(horizon.WorkflowID)(ctx, tx))
				return tx.SaveHorizon(ctx, horizon)
			})
		}
		latest(sharp+hour, sharp)
	},
}
