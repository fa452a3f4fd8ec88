package upkeep_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

const (
	ninety      = 90 * 24 * time.Hour
	fourHundred = 400 * 24 * time.Hour
)

// retainAt returns a retention of 90 days, and of 400 for cells, at an instant, which nobody has confirmed.
func retainAt(t failer, db store.Store, now int64) *upkeep.Retention {
	t.Helper()
	at := clocked{db, now}
	retention, err := upkeep.NewRetention(at, quiet, ninety, fourHundred)
	if err != nil {
		t.Fatal(err)
	}
	return retention.WithClock(clockOf(at))
}

func knownClock(t failer, db store.Reader) (known store.RetentionClock) {
	t.Helper()
	err := db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) (err error) {
		known, err = snapshot.RetentionClock(ctx)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// A clock that is wrong at a start removes nothing and is not believed later either, whoever writes rows by it.
func TestAWrongClockRemovesNothing(t *testing.T) {
	db, base := open(t), ahead()
	id := loadToExpire(t, db, "run", []jobmon.TaskHistory{{Name: "1", Template: "a", Attempts: 1, Moves: []jobmon.Move{
		{To: jobmon.TaskRegistering, At: base}, {To: jobmon.TaskDone, At: base + minute},
	}}})
	pass(t, upkeep.NewRollUp(clocked{db, base + hour}, quiet).Pass, retainAt(t, db, base+hour).Pass)
	known := knownClock(t, db)
	if known.At != base+hour || !known.Passed {
		t.Fatalf("after a pass, %+v is known", known)
	}
	held := func(r *upkeep.Retention, reason upkeep.HoldReason) {
		t.Helper()
		if err := r.Pass(t.Context()); jobmon.ErrorCode(err) != jobmon.CodeConflict || !strings.Contains(err.Error(), "removes nothing") {
			t.Errorf("the pass says %v", err)
		}
		if got := r.Progress().Held; got.Reason != reason {
			t.Errorf("it is held because %q: %s", got.Reason, got.Message)
		}
		if got, horizon := knownClock(t, db), horizonOf(t, db, id); got != known || horizon.RowsFrom != 0 {
			t.Errorf("%+v is known, and rows are kept from %d", got, horizon.RowsFrom)
		}
	}
	wrong := retainAt(t, db, base+100*day)
	held(wrong, upkeep.HoldJump)
	load(t, db, "by the wrong clock", jobmon.TaskHistory{Name: "1", Template: "a", Attempts: 1, Moves: []jobmon.Move{
		{To: jobmon.TaskRegistering, At: base + 100*day}, {To: jobmon.TaskDone, At: base + 100*day + 1},
	}})
	held(wrong, upkeep.HoldJump)
	held(retainAt(t, db, base+100*day).WithClock(clockOf(clocked{db, base + hour})), upkeep.HoldSkew)
	held(retainAt(t, db, base-base%day-30_000*day), upkeep.HoldImpossible)
	plan, err := wrong.Plan(t.Context())
	if err != nil || plan.Hold.Reason != upkeep.HoldJump || len(plan.Removals) != 1 || plan.Removals[0].Rows != 2 {
		t.Errorf("the plan is %+v, %v", plan, err)
	}
	// The clock comes back.
	right := retainAt(t, db, base+2*hour)
	pass(t, right.Pass)
	if got := right.Progress(); got.Held != (upkeep.Hold{}) || got.Rows != 0 {
		t.Errorf("by the right clock: %+v", got)
	}
	// A person says that it was right.
	confirmed := retainAt(t, db, base+100*day).Confirm()
	pass(t, upkeep.NewRollUp(clocked{db, base + 101*day}, quiet).Pass, confirmed.Pass)
	if got := confirmed.Progress(); got.Rows != 2 {
		t.Errorf("a confirmed pass: %+v", got)
	}
}

// What the row was that was stored last is looked up at the start, and not when the server has written more.
func TestTheFirstClockIsHeldAgainstTheRows(t *testing.T) {
	db := open(t)
	load(t, db, "run", lived("1", "a", "GD", 0, 1))
	stored := time.Now().UnixMicro()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var log lockedLog
	ended := make(chan error, 1)
	late := clocked{db, stored + 100*day}
	retention, err := upkeep.NewRetention(late, slog.New(slog.NewTextHandler(&log, nil)), ninety, fourHundred)
	if err != nil {
		t.Fatal(err)
	}
	go func() { ended <- retention.WithClock(clockOf(late)).Run(ctx) }() //nolint:contextcheck // a clock takes no context
	for deadline := time.After(time.Minute); !strings.Contains(log.String(), "retention is held"); {
		select {
		case <-deadline:
			t.Fatalf("the log says %q", log.String())
		case <-time.After(time.Millisecond):
		}
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the loop ended with %v", err)
	}
	known := knownClock(t, db)
	if known.Passed || known.At < stored-10*minute || known.At > stored+10*minute {
		t.Errorf("%+v is known of a run that was stored at %d", known, stored)
	}
	if got := retention.Progress(); got.Held.Reason != upkeep.HoldJump || !got.LastPass.IsZero() {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(log.String(), "the newest transition") {
		t.Errorf("the log says %q", log.String())
	}
}

// damage has a wrong clock believed, which removes rows and perhaps cells up to the future.
func damage(t failer, db store.Store, id, wrong int64) {
	t.Helper()
	pass(t, retainAt(t, lone{db, id}, wrong).Confirm().Pass)
}

func recoverAt(t failer, db store.Store, now int64, confirmed bool) []upkeep.Recovery {
	t.Helper()
	retention := retainAt(t, db, now)
	if confirmed {
		retention.Confirm()
	}
	recoveries, err := retention.Recover(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return recoveries
}

func TestRecovery(t *testing.T) {
	base := ahead()
	for _, c := range []struct {
		name  string
		wrong int64
	}{{"100 days ahead", 100 * day}, {"500 days ahead", 500 * day}} {
		t.Run(c.name, func(t *testing.T) {
			stored := open(t)
			db := clocked{stored, base + 2*hour}
			task := jobmon.TaskHistory{Name: "1", Template: "a", Attempts: 1, Moves: []jobmon.Move{
				{To: jobmon.TaskRegistering, At: base}, {To: jobmon.TaskQueued, At: base}, {To: jobmon.TaskInstantiating, At: base},
				{To: jobmon.TaskLaunched, At: base}, {To: jobmon.TaskRunning, At: base + hour + second},
			}}
			id := loadToExpire(t, db, "run", []jobmon.TaskHistory{task})
			healthy := loadToExpire(t, db, "healthy", []jobmon.TaskHistory{{Name: "1", Template: "a", Attempts: 1, Moves: []jobmon.Move{
				{To: jobmon.TaskRegistering, At: base},
			}}})
			pass(t, upkeep.NewRollUp(db, quiet).Pass)
			damage(t, stored, id, base+c.wrong)
			before := horizonOf(t, db, id)
			if before.RowsFrom <= db.now || (before.DataFrom > db.now) != (c.wrong > 400*day) {
				t.Fatalf("nothing is damaged: %+v", before)
			}
			lost := base + hour + minute // the end of the last minute of which rows are lost
			line := timeline.New(db, nil)
			chart := timeline.Request{WorkflowID: id, Start: lost, Statuses: concurrency.Of(jobmon.TaskRunning)}
			_, ofChart := line.Concurrency(t.Context(), chart)
			_, ofStart := line.Activity(t.Context(), []int64{healthy, id})
			for what, err := range map[string]error{"chart": ofChart, "start page": ofStart} {
				if jobmon.ErrorCode(err) != jobmon.CodeUnavailable || !strings.Contains(err.Error(), "run tasktide retention recover") {
					t.Errorf("the %s says %v", what, err)
				}
			}
			report := verify(t, db, id)
			if report.Found != 1 || !strings.Contains(report.Defects[0].String(), "run tasktide retention recover") {
				t.Errorf("the verification finds %v", report.Defects)
			}
			err := retainAt(t, stored, db.now).Confirm().Pass(t.Context())
			if err == nil || !strings.Contains(err.Error(), "run tasktide retention recover") {
				t.Errorf("a pass says %v", err)
			}

			if planned := recoverAt(t, stored, db.now, false); len(planned) != 1 || planned[0].WorkflowID != id || planned[0].Rows != lost {
				t.Errorf("it would do %v", planned)
			}
			if got := horizonOf(t, db, id); got != before {
				t.Errorf("a recovery that nobody has confirmed leaves %+v", got)
			}
			if early := recoverAt(t, stored, base, true); len(early) != 1 || !early[0].Kept || horizonOf(t, db, id) != before {
				t.Errorf("by a clock before the last lost row it does %v", early)
			}
			recoverAt(t, stored, db.now, true)
			after := horizonOf(t, db, id)
			if after.RowsFrom != lost || c.wrong > 400*day && after.DataFrom != lost {
				t.Errorf("it leaves %+v", after)
			}
			if got := recoverAt(t, stored, db.now, true); len(got) != 0 {
				t.Errorf("again, it does %v", got)
			}
			verified(t, db, id, "after the recovery")
			answer, err := line.Concurrency(t.Context(), chart)
			if err != nil || answer.Total.WindowPeak != 1 || answer.Total.Peak[0] != 1 {
				t.Errorf("the chart shows a peak of %d, %v", answer.Total.WindowPeak, err)
			}
			activity, err := line.Activity(t.Context(), []int64{healthy, id})
			if err != nil || activity[1].Levels[jobmon.TaskRunning] != 1 || activity[1].Levels[jobmon.TaskRegistering] != 0 {
				t.Errorf("the start page shows %+v, %v", activity, err)
			}
			_, err = line.Activity(t.Context(), []int64{id})
			if soon := timeline.New(clocked{stored, lost}, nil); err == nil {
				activity, err = soon.Activity(t.Context(), []int64{id})
			}
			if err != nil || activity[0].Levels[jobmon.TaskRunning] != 1 {
				t.Errorf("right after what is lost, the start page shows %+v, %v", activity, err)
			}
			pass(t, retainAt(t, stored, db.now).Pass)
			if known := knownClock(t, db); known.At != db.now || known.RowsBefore > db.now-90*day {
				t.Errorf("%+v is known", known)
			}
		})
	}
}

// Wherever the removal of rows was cut off, and whatever the clock said: what is left is readable again, what is counted
// is what happened, and later passes of retention go on from there.
func TestAnswersAfterARecovery(t *testing.T) {
	base := ahead()
	stored := open(t)
	number, answers, left, recovered := 0, 0, 0, 0
	someChecks(t, func(t *rapid.T) {
		number++
		tasks := brief(t, base)
		first, last := span(tasks)
		db := clocked{stored, last + rapid.SampledFrom([]int64{minute, hour, 5 * hour}).Draw(t, "later")}
		id := loadToExpire(t, db, fmt.Sprint("run ", number), tasks)
		pass(t, upkeep.NewRollUp(clocked{stored, last + hour}, quiet).Pass)
		kept := rapid.Bool().Draw(t, "cut off")
		if kept {
			removed := rapid.IntRange(1, 8).Draw(t, "removed")
			err := db.Maintain(context.Background(), func(ctx context.Context, tx store.UpkeepTx) error {
				horizon, err := tx.LockHorizon(ctx, id)
				if err != nil {
					return err
				}
				horizon.RowsFrom, horizon.FirstAt, horizon.LastAt = base+10*day, first, last
				if err := tx.SaveHorizon(ctx, horizon); err != nil {
					return err
				}
				_, err = tx.DeleteTransitions(ctx, store.TransitionFilter{WorkflowID: id, Before: horizon.RowsFrom}, removed)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		} else {
			damage(t, stored, id, base+rapid.SampledFrom([]int64{100 * day, 431 * day, 500 * day}).Draw(t, "wrong"))
		}
		recovered += len(recoverAt(t, lone{stored, id}, db.now, true))
		horizon := horizonOf(t, db, id)
		if horizon.RowsFrom > db.now || horizon.DataFrom > db.now {
			t.Fatalf("at %d, the recovery leaves %+v", db.now, horizon)
		}
		line := timeline.New(db, nil)
		check := func() {
			for range 4 {
				request := requests(t, id, base)
				request.Start = max(request.Start, horizon.DataFrom)
				if *request.End <= request.Start || *request.End > db.now {
					continue
				}
				answer, err := line.Concurrency(context.Background(), request)
				if err != nil {
					if known, ok := err.(*jobmon.Error); ok && known.Code == jobmon.CodeInvalid { //nolint:errorlint // the outermost
						continue
					}
					t.Fatalf("%+v, %+v: %v", horizon, request, err)
				}
				answers++
				atLeast(t, answer, counted(t, tasks, answer, request.Statuses))
			}
		}
		check()
		report := verified(t, db, id, "after the recovery")
		left += int(report.Rows)
		db.now += 600 * day
		pass(t, retainAt(t, lone{stored, id}, db.now).Confirm().Pass)
		horizon = horizonOf(t, db, id)
		verified(t, db, id, "after a later pass")
		activity, err := timeline.New(db, nil).Activity(context.Background(), []int64{id})
		if err != nil {
			t.Fatal(err)
		}
		levels := map[jobmon.TaskStatus]int64{}
		for _, task := range tasks {
			levels[task.Moves[len(task.Moves)-1].To]++
		}
		for _, status := range jobmon.TaskStatuses() {
			if activity[0].Levels[status] != levels[status] {
				t.Fatalf("%v tasks, and in the end there were %v", activity[0].Levels, levels)
			}
		}
	})
	metAllf(t, answers > 0 && left > 0 && recovered > 0, "%d answers, %d rows left, %d recovered", answers, left, recovered)
}
