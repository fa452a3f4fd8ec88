package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// manyTimes is more often than a store has connections.
const manyTimes = 100

var transactionTests = map[string]func(t *testing.T, s store.Store){
	"AFailedChangeLeavesNothing": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		before, history := f.stored(store.TaskFilter{WorkflowID: f.workflow}), f.history()
		failure := errors.New("failure")
		change := func(end func() error) func(context.Context, store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error {
				f.ok(tx.MoveTasks(ctx, store.TaskMove{IDs: f.tasks, To: jobmon.TaskQueued, At: begin}))
				f.ok(tx.AppendLimit(ctx, store.Limit{WorkflowID: f.workflow, MaxConcurrentlyRunning: 7, At: begin}))
				return end()
			}
		}
		if err := s.Update(t.Context(), change(func() error { return failure })); !errors.Is(err, failure) {
			t.Errorf("got %v, want the change's own error", err)
		}
		func() {
			defer func() {
				if got := recover(); got != failure { //nolint:errorlint // the very value
					t.Errorf("recovered %v", got)
				}
			}()
			_ = s.Update(t.Context(), change(func() error { panic(failure) }))
			t.Error("the panic was swallowed")
		}()
		ctx, cancel := context.WithCancel(t.Context())
		wantCode(t, s.Update(ctx, change(func() error { cancel(); return nil })), jobmon.CodeUnavailable)

		equal(t, "tasks", f.stored(store.TaskFilter{WorkflowID: f.workflow}), before)
		equal(t, "history", f.history(), history)
		f.view(func(ctx context.Context, view store.Snapshot) error {
			limits, err := view.Limits(ctx, f.workflow)
			equal(t, "limits", limits, nil)
			return err
		})
	},

	"AFailedStatementDoesNotHideTheRest": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.LockWorkflow(ctx, 1<<40); jobmon.ErrorCode(err) != jobmon.CodeNotFound {
				t.Errorf("a workflow that does not exist: %v", err)
			}
			return tx.MoveTasks(ctx, store.TaskMove{IDs: f.tasks, To: jobmon.TaskQueued, At: begin})
		})
		f.ok(err)
		if rows := f.history(); len(rows) != 2 {
			t.Errorf("history %v", rows)
		}
	},

	"AFailedStatementEndsTheTransaction": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		limit := store.Limit{WorkflowID: f.workflow, MaxConcurrentlyRunning: 7, At: begin}
		nobodys := limit
		nobodys.WorkflowID = 1 << 40
		for _, c := range []struct {
			name string
			fail func(ctx context.Context, tx store.Tx) error
			want jobmon.Code
		}{
			{"a key that is taken", func(ctx context.Context, tx store.Tx) error {
				_, err := tx.SaveWorkflow(ctx, store.Workflow{WorkflowKey: f.key, Status: jobmon.WorkflowDone, StatusAt: begin})
				return err
			}, jobmon.CodeConflict},
			{"a workflow that does not exist", func(ctx context.Context, tx store.Tx) error {
				return tx.AppendLimit(ctx, nobodys)
			}, jobmon.CodeNotFound},
		} {
			for name, next := range map[string]func(ctx context.Context, tx store.Tx) error{
				"nothing":         func(context.Context, store.Tx) error { return nil },
				"a write":         func(ctx context.Context, tx store.Tx) error { return tx.AppendLimit(ctx, limit) },
				"a swallowed one": func(ctx context.Context, tx store.Tx) error { _ = tx.AppendLimit(ctx, limit); return nil },
				"another failure": func(ctx context.Context, tx store.Tx) error {
					_, err := tx.SaveRun(ctx, store.Run{WorkflowID: 1 << 40, Status: jobmon.RunLinking, StatusAt: begin})
					_ = err // only the first counts
					return nil
				},
			} {
				t.Run(c.name+", then "+name, func(t *testing.T) {
					before := f.visible()
					err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
						f.ok(tx.MoveTasks(ctx, store.TaskMove{IDs: f.tasks, To: jobmon.TaskQueued, At: begin}))
						wantCode(t, c.fail(ctx, tx), c.want)
						return next(ctx, tx)
					})
					wantCode(t, err, c.want)
					f.unchanged(before)
				})
			}
		}
	},

	"TwentyWritersOneWinner": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		path := []jobmon.TaskStatus{jobmon.TaskQueued, jobmon.TaskInstantiating, jobmon.TaskLaunched, jobmon.TaskRunning}
		won := make(chan []jobmon.TaskStatus)
		for range 20 {
			go func() {
				var mine []jobmon.TaskStatus
				for i, to := range path {
					moved := false
					err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
						moved = false
						tasks, err := tx.LockTasks(ctx, store.TaskFilter{IDs: f.tasks})
						if err != nil || i > 0 && tasks[0].Status != path[i-1] || i == 0 && tasks[0].Status != jobmon.TaskRegistering {
							return err
						}
						at, err := tx.Now(ctx)
						if err != nil {
							return err
						}
						moved = true
						return tx.MoveTasks(ctx, store.TaskMove{IDs: f.tasks, To: to, At: at})
					})
					if err != nil {
						t.Error(err)
					}
					if moved {
						mine = append(mine, to)
					}
				}
				won <- mine
			}()
		}
		var winners []jobmon.TaskStatus
		for range 20 {
			winners = append(winners, <-won...)
		}
		var audited []jobmon.TaskStatus
		previous := jobmon.Transition{}
		for _, row := range f.history() {
			if row.From != previous.To || row.PreviousAt != previous.At || row.At < previous.At {
				t.Errorf("%v does not follow %v", row, previous)
			}
			if previous = row; row.From != 0 {
				audited = append(audited, row.To)
			}
		}
		equal(t, "the audit", audited, path)
		slices.Sort(winners)
		slices.Sort(path)
		equal(t, "the winners", winners, path)
	},

	"TheClockIsNotReadBeforeTheLock": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		locked, waiting, instants := make(chan struct{}), make(chan struct{}), make(chan int64, 1)
		go func() {
			<-locked
			close(waiting)
			var at int64
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_, err := tx.LockTasks(ctx, store.TaskFilter{IDs: f.tasks})
				if err != nil {
					return err
				}
				at, err = tx.Now(ctx)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			instants <- at
		}()
		var last int64
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // for a clock that stands still
		defer cancel()
		f.ok(s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.LockTasks(ctx, store.TaskFilter{IDs: f.tasks})
			f.ok(err)
			close(locked)
			<-waiting
			first, err := tx.Now(ctx)
			// A whole second, so that a clock of seconds, or the instant of the second writer's begin, is found out.
			for last = first; err == nil && last < first+1_000_000; {
				last, err = tx.Now(ctx)
			}
			return err
		}))
		if second := <-instants; second < last {
			t.Errorf("the second writer read %d, the first still held the lock at %d", second, last)
		}
	},

	"TheClockIsThisCenturysAndHasMicroseconds": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		fine := false
		for range manyTimes {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				at, err := view.Now(ctx)
				if near := time.Since(time.UnixMicro(at)).Abs(); near > time.Hour {
					t.Fatalf("the clock is off by %v", near)
				}
				fine = fine || at%1000 != 0
				return err
			})
		}
		if !fine {
			t.Error("the clock shows whole milliseconds only")
		}
	},

	"AViewIsOneInstant": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.view(func(ctx context.Context, view store.Snapshot) error {
			// Committed after the view began, before it first asked.
			f.move(begin+5, jobmon.TaskQueued, f.tasks...)
			f.update(func(ctx context.Context, tx store.Tx) error {
				return tx.AppendLimit(ctx, store.Limit{WorkflowID: f.workflow, MaxConcurrentlyRunning: 3, At: begin})
			})
			rows, err := gather(view.Transitions(ctx, f.always()))
			f.ok(err)
			if len(rows) != 2 {
				t.Errorf("sees %d transitions, want the 2 from before it began", len(rows))
			}
			f.move(begin+6, jobmon.TaskInstantiating, f.tasks...)
			tasks, err := gather(view.Tasks(ctx, store.TaskFilter{WorkflowID: f.workflow}))
			f.ok(err)
			for _, task := range tasks {
				if task.Status != jobmon.TaskRegistering {
					t.Errorf("sees task %d in %s", task.ID, task.Status.Name())
				}
			}
			info, err := view.Workflow(ctx, f.workflow)
			f.ok(err)
			limits, err := view.Limits(ctx, f.workflow)
			if info.Active || info.LastAt != begin || len(limits) != 0 {
				t.Errorf("sees %v and the limits %v", info, limits)
			}
			return err
		})
		if rows := f.history(); len(rows) != 6 {
			t.Errorf("the next view sees %d transitions, want 6", len(rows))
		}
	},

	"AViewReturnsItsReadersError": func(t *testing.T, s store.Store) {
		failure := errors.New("failure")
		for range manyTimes {
			err := s.View(t.Context(), func(context.Context, store.Snapshot) error { return failure })
			if !errors.Is(err, failure) {
				t.Fatalf("got %v", err)
			}
		}
	},

	"MovesDoNotWaitForReaders": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.view(func(ctx context.Context, view store.Snapshot) error {
			for _, err := range view.Transitions(ctx, f.always()) {
				f.ok(err)
				f.move(begin+7, jobmon.TaskQueued, f.tasks...)
			}
			return nil
		})
	},

	"NothingIsLeftInUse": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 50)
		for range manyTimes {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				for _, err := range view.Transitions(ctx, f.always()) {
					f.ok(err)
					break
				}
				for _, err := range view.Tasks(ctx, store.TaskFilter{WorkflowID: f.workflow}) {
					f.ok(err)
					break
				}
				return nil
			})
			ctx, cancel := context.WithCancel(t.Context())
			err := s.View(ctx, func(ctx context.Context, view store.Snapshot) error {
				var last error
				for _, err := range view.Transitions(ctx, f.always()) {
					cancel()
					last = err
				}
				_, err := gather(view.Transitions(ctx, f.always()))
				wantCode(t, err, jobmon.CodeUnavailable)
				return last
			})
			_ = err // whether the rows were on their way already is a matter of luck
			ctx, cancel = context.WithCancel(t.Context())
			wantCode(t, s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
				cancel()
				_, err := tx.LockTasks(ctx, store.TaskFilter{WorkflowID: f.workflow})
				return err
			}), jobmon.CodeUnavailable)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		f.ok(s.View(ctx, func(context.Context, store.Snapshot) error { return nil }))
		f.ok(s.Update(ctx, func(context.Context, store.Tx) error { return nil }))
	},

	"AContextThatHasEnded": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		for name, call := range map[string]func() error{
			"Update":       func() error { return s.Update(ctx, func(context.Context, store.Tx) error { return nil }) },
			"View":         func() error { return s.View(ctx, func(context.Context, store.Snapshot) error { return nil }) },
			"Maintain":     func() error { return s.Maintain(ctx, func(context.Context, store.UpkeepTx) error { return nil }) },
			"RegisterTool": func() error { _, err := s.RegisterTool(ctx, "t"); return err },
			"ToolVersions": func() error { _, err := s.ToolVersions(ctx, 1); return err },
			"Cluster":      func() error { _, err := s.Cluster(ctx, "dummy"); return err },
			"RegisterNodes": func() error {
				_, err := s.RegisterNodes(ctx, []store.Node{{TaskTemplateVersionID: f.template.ID, ArgsHash: "h"}})
				return err
			},
			"AddEdges":      func() error { return s.AddEdges(ctx, f.dag, nil, true) },
			"BeginImport":   func() error { _, err := s.BeginImport(ctx, store.Import{}); return err },
			"ImportTasks":   func() error { return s.ImportTasks(ctx, f.workflow, nil) },
			"PublishImport": func() error { return s.PublishImport(ctx, f.workflow, jobmon.WorkflowDone) },
			"AbandonImport": func() error { return s.AbandonImport(ctx, f.workflow) },
		} {
			t.Run(name, func(t *testing.T) { wantCode(t, call(), jobmon.CodeUnavailable) })
		}
	},

	"AfterCloseNothingBegins": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		inside, closed := make(chan struct{}), make(chan error)
		go func() {
			<-inside
			closed <- s.Close()
		}()
		f.update(func(ctx context.Context, tx store.Tx) error {
			close(inside)
			for s.View(ctx, func(context.Context, store.Snapshot) error { return nil }) == nil {
				// Until Close has begun, which then waits for this transaction.
				continue
			}
			return tx.MoveTasks(ctx, store.TaskMove{IDs: f.tasks, To: jobmon.TaskQueued, At: begin})
		})
		f.ok(<-closed)
		for name, call := range map[string]func() error{
			"Update": func() error { return s.Update(t.Context(), func(context.Context, store.Tx) error { return nil }) },
			"View":   func() error { return s.View(t.Context(), func(context.Context, store.Snapshot) error { return nil }) },
			"Maintain": func() error {
				return s.Maintain(t.Context(), func(context.Context, store.UpkeepTx) error { return nil })
			},
			"RegisterTool":  func() error { _, err := s.RegisterTool(t.Context(), "t"); return err },
			"TaskTemplates": func() error { _, err := s.TaskTemplates(t.Context(), f.toolVersion); return err },
			"BeginImport":   func() error { _, err := s.BeginImport(t.Context(), someRun); return err },
			"AbandonImport": func() error { return s.AbandonImport(t.Context(), f.workflow) },
		} {
			t.Run(name, func(t *testing.T) { wantCode(t, call(), jobmon.CodeUnavailable) })
		}
	},

	"CloseWaitsForAReader": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		inside, closed := make(chan struct{}), make(chan error, 1)
		go func() {
			<-inside
			closed <- s.Close()
		}()
		f.view(func(ctx context.Context, view store.Snapshot) error {
			close(inside)
			for s.View(ctx, func(context.Context, store.Snapshot) error { return nil }) == nil {
				continue // until Close has begun
			}
			rows, err := gather(view.Transitions(ctx, f.always()))
			if len(closed) > 0 || len(rows) != 3 {
				t.Errorf("%d transitions, and Close has returned %d times", len(rows), len(closed))
			}
			return err
		})
		f.ok(<-closed)
		f.ok(s.Close()) // again
	},
}
