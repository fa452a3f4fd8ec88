package storetest

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

const (
	// moment is how long a call that has to wait is let wait.
	moment = 500 * time.Millisecond
	// whileLong is long enough for a call that need not wait, on a machine that has much else to do.
	whileLong = 30 * time.Second
)

// waits reports whether a call is still waiting for others after a while, and ends it then.
func (f *fixture) waits(while time.Duration, call func(ctx context.Context) error) bool {
	f.Helper()
	ctx, cancel := context.WithTimeout(f.Context(), while)
	defer cancel()
	err := call(ctx)
	if err != nil {
		f.code(err, jobmon.CodeUnavailable)
	}
	return err != nil
}

// alone reports whether a transaction that writes has the database to itself, as in some databases.
func (f *fixture) alone() (alone bool) {
	f.Helper()
	f.update(func(context.Context, store.Tx) error {
		alone = f.waits(moment, func(ctx context.Context) error { //nolint:contextcheck // the other's own
			return f.store.Update(ctx, func(context.Context, store.Tx) error { return nil })
		})
		return nil
	})
	return alone
}

// lockHorizon is a change that does no more than that.
func lockHorizon(workflowID int64) func(ctx context.Context, tx store.UpkeepTx) error {
	return func(ctx context.Context, tx store.UpkeepTx) error {
		_, err := tx.LockHorizon(ctx, workflowID)
		return err
	}
}

// addMarks adds n marks of minutes one after the other, and returns their ids.
func (f *fixture) addMarks(n int) (ids []int64) {
	f.Helper()
	minutes := make([]int64, n)
	for i := range minutes {
		minutes[i] = sharp + int64(i)*minute
	}
	f.maintain(func(ctx context.Context, tx store.UpkeepTx) error { return tx.AddMarks(ctx, f.workflow, minutes) })
	for _, mark := range f.marks() {
		ids = append(ids, mark.ID)
	}
	return ids
}

// deleteMarks returns how many marks a transaction deletes.
func deleteMarks(ctx context.Context, s store.Store, ids []int64) (deleted int64, err error) {
	err = s.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
		deleted, err = tx.DeleteMarks(ctx, ids)
		return err
	})
	return deleted, err
}

var upkeepTests = map[string]func(t *testing.T, s store.Store){
	"AHorizonKeepsWhatItIsGiven": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 0), newFixture(t, s, "b", 0)
		none := store.Horizon{WorkflowID: f.workflow}
		if got := f.horizon(); got != none {
			t.Errorf("of a workflow without one: %+v", got)
		}
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			got, err := tx.LockHorizon(ctx, f.workflow)
			if got != none {
				t.Errorf("locked for the first time: %+v", got)
			}
			return err
		})
		full := store.Horizon{
			WorkflowID: f.workflow, RowsFrom: sharp + hour, DataFrom: sharp, FirstAt: begin, LastAt: sharp + hour - 1, Generation: 1 << 40, Kept: true,
		}
		for _, want := range []store.Horizon{
			full, {WorkflowID: f.workflow, RowsFrom: sharp, FirstAt: 1, Generation: 2}, {WorkflowID: f.workflow, LastAt: store.MaxInstant, Kept: true},
			none, full,
		} {
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
				_, err := tx.LockHorizon(ctx, f.workflow)
				f.ok(err)
				f.ok(tx.SaveHorizon(ctx, want))
				got, err := tx.Horizon(ctx, f.workflow)
				if got != want {
					t.Errorf("got %+v at once, want %+v", got, want)
				}
				return err
			})
			if got := f.horizon(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
				got, err := tx.LockHorizon(ctx, f.workflow)
				if got != want {
					t.Errorf("locked %+v, want %+v", got, want)
				}
				return err
			})
		}
		if got := other.horizon(); got != (store.Horizon{WorkflowID: other.workflow}) {
			t.Errorf("of another workflow: %+v", got)
		}
	},

	"AHorizonKeepsItsInstants": atEachInstant(func(t *testing.T, s store.Store, at int64) {
		f := newFixture(t, s, newName(), 0)
		want := store.Horizon{WorkflowID: f.workflow, RowsFrom: at, DataFrom: at, FirstAt: at, LastAt: at}
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			f.ok(lockHorizon(f.workflow)(ctx, tx))
			return tx.SaveHorizon(ctx, want)
		})
		if got := f.horizon(); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}),

	"OneAtATimeChangesAHorizon": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		const changes = 8
		f.ok(firstError(atOnce(changes, func(int) error {
			return s.Maintain(t.Context(), func(ctx context.Context, tx store.UpkeepTx) error {
				horizon, err := tx.LockHorizon(ctx, f.workflow) // which the first of them creates
				if err != nil {
					return err
				}
				for range manyTimes / 10 { // while others wait, but not for too long
					if _, err := tx.Now(ctx); err != nil {
						return err
					}
				}
				horizon.Generation++
				return tx.SaveHorizon(ctx, horizon)
			})
		})...))
		if got := f.horizon().Generation; got != changes {
			t.Errorf("%d changes of %d are stored", got, changes)
		}
	},

	"AHorizonIsCreatedOnce": func(t *testing.T, s store.Store) {
		for workflowID := range int64(30) {
			errs := atOnce(8, func(int) error { return s.Maintain(t.Context(), lockHorizon(workflowID+1)) })
			wantCode(t, firstError(errs...), "")
		}
	},

	"ALockedHorizonHoldsUpWhoLocksIt": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 2), newFixture(t, s, "b", 1)
		more := f.newTasks(1)
		alone := f.alone()
		for round, horizon := range []string{"a new horizon", "one that is there"} {
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
				f.ok(lockHorizon(f.workflow)(ctx, tx))
				if !f.waits(moment, func(ctx context.Context) error { return s.Maintain(ctx, lockHorizon(f.workflow)) }) {
					t.Errorf("two have locked %s", horizon)
				}
				if alone {
					return nil
				}
				f.ok(tx.SaveHorizon(ctx, store.Horizon{WorkflowID: f.workflow, RowsFrom: sharp}))
				for what, call := range map[string]func(ctx context.Context) error{
					"another's upkeep": func(ctx context.Context) error { return s.Maintain(ctx, lockHorizon(other.workflow)) },
					"a mover": func(ctx context.Context) error {
						to := []jobmon.TaskStatus{jobmon.TaskQueued, jobmon.TaskInstantiating}[round]
						return s.Update(ctx, moveTo(to, sharp, f.tasks...))
					},
					"who adds tasks": func(ctx context.Context) error {
						if more == nil {
							return nil
						}
						err := s.Update(ctx, func(ctx context.Context, tx store.Tx) error {
							_, err := tx.InsertTasks(ctx, more, sharp)
							return err
						})
						more = nil
						return err
					},
					"who looks at it": func(ctx context.Context) error {
						return s.Maintain(ctx, func(ctx context.Context, tx store.UpkeepTx) error {
							_, err := tx.Horizon(ctx, f.workflow)
							return err
						})
					},
				} {
					if f.waits(whileLong, call) {
						t.Errorf("%s waits for %s", what, horizon)
					}
				}
				return nil
			})
		}
	},

	"WhoWaitedForAHorizonSeesWhatWasStored": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		alone := f.alone()
		begun, ended := make(chan struct{}, 10), make(chan error, 1)
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			f.ok(lockHorizon(f.workflow)(ctx, tx))
			go func() {
				ended <- s.Maintain(t.Context(), func(ctx context.Context, tx store.UpkeepTx) error {
					if _, err := tx.Marks(ctx, f.everyMark()); err != nil { // what it has seen does not bind it
						return err
					}
					begun <- struct{}{}
					horizon, err := tx.LockHorizon(ctx, f.workflow)
					if horizon.Generation != 7 {
						t.Errorf("it sees %+v", horizon)
					}
					if err != nil {
						return err
					}
					marks, err := tx.Marks(ctx, f.everyMark())
					equal(t, "marks", minutesOf(marks), []int64{begin - begin%minute, sharp})
					return err
				})
			}()
			if !alone {
				<-begun
			}
			f.ok(tx.AddMarks(ctx, f.workflow, []int64{sharp}))
			return tx.SaveHorizon(ctx, store.Horizon{WorkflowID: f.workflow, Generation: 7})
		})
		f.ok(<-ended)
	},

	"DeletedMarksAreCounted": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 0), newFixture(t, s, "b", 1)
		ids := f.addMarks(5500)
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			for _, c := range []struct {
				ids  []int64
				want int64
			}{
				{nil, 0}, {[]int64{1 << 40}, 0}, {ids[:1], 1}, {ids[:1], 0}, {ids[:3], 2}, {append([]int64{1 << 40}, ids[3:5]...), 2},
				{ids[:5400], 5395}, {ids, 100}, {ids, 0},
			} {
				got, err := tx.DeleteMarks(ctx, c.ids)
				if got != c.want {
					t.Errorf("of %d marks %d were there, want %d", len(c.ids), got, c.want)
				}
				f.ok(err)
			}
			return nil
		})
		equal(t, "marks", f.marks(), nil)
		if marks := other.marks(); len(marks) != 1 {
			t.Errorf("marks of another: %+v", marks)
		}
	},

	// Whoever sums up what marks tell of deletes them, and has to know that nobody else did so meanwhile.
	"WhoeverDeletesAMarkSecondCountsItNot": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		alone := f.alone()
		undone := errors.New("undone")
		for _, end := range []error{undone, nil} {
			ids := f.addMarks(10)
			begun := make(chan struct{}, 10)
			var counted int64
			ended := make(chan error, 1)
			err := s.Maintain(t.Context(), func(ctx context.Context, tx store.UpkeepTx) error {
				if n, err := tx.DeleteMarks(ctx, ids[:6]); err != nil || n != 6 {
					t.Errorf("the first counts %d, %v", n, err)
				}
				go func() {
					ended <- s.Maintain(t.Context(), func(ctx context.Context, tx store.UpkeepTx) (err error) {
						if _, err := tx.Marks(ctx, f.everyMark()); err != nil { // what it has seen does not count
							return err
						}
						begun <- struct{}{}
						counted, err = tx.DeleteMarks(ctx, ids[3:])
						return err
					})
				}()
				if !alone {
					<-begun
				}
				for range manyTimes { // while the second waits for the marks
					_, err := tx.Now(ctx)
					f.ok(err)
				}
				if len(ended) > 0 {
					t.Error("the second did not wait for the first")
				}
				return end
			})
			if !errors.Is(err, end) {
				t.Errorf("got %v, want %v", err, end)
			}
			f.ok(<-ended)
			want, left := int64(4), 0 // of the first's six, three were among the second's seven
			if end != nil {
				want, left = 7, 3
			}
			if counted != want {
				t.Errorf("the second counts %d, want %d", counted, want)
			}
			if marks := f.marks(); len(marks) != left {
				t.Errorf("%d marks are left, want %d", len(marks), left)
			}
			_, err = deleteMarks(t.Context(), s, ids)
			f.ok(err)
		}
	},

	"EachMarkIsCountedOnce": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for range 3 {
			ids := f.addMarks(500)
			var total atomic.Int64
			f.ok(firstError(atOnce(8, func(i int) error {
				mine := slices.Clone(ids)
				rand.Shuffle(len(mine), func(i, j int) { mine[i], mine[j] = mine[j], mine[i] })
				n, err := deleteMarks(t.Context(), s, mine[:len(mine)-i*20])
				total.Add(n)
				return err
			})...))
			if total.Load() != int64(len(ids)) {
				t.Errorf("of %d marks %d were counted", len(ids), total.Load())
			}
			equal(t, "marks", f.marks(), nil)
		}
	},

	"MarksAreAddedByTheThousand": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			f.ok(tx.AddMarks(ctx, f.workflow, nil))
			f.ok(tx.AddMarks(ctx, f.workflow, []int64{sharp + minute - 1, sharp, sharp - 1}))
			marks, err := tx.Marks(ctx, f.everyMark())
			equal(t, "minutes", distinct(marks), []int64{sharp - minute, sharp})
			return err
		})
		f.addMarks(1500)
		if marks := f.marks(); len(distinct(marks)) != 1501 || marks[len(marks)-1].Minute != sharp+1499*minute {
			t.Errorf("%d marks", len(marks))
		}
		f.marksOf(func(context.Context, store.Tx) error { return nil })
	},

	"AFailedUpkeepLeavesNothing": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		filter := store.BlockFilter{
			WorkflowID: f.workflow, Kinds: []string{"R"}, Ranges: []store.BlockRange{{Width: minute, Before: math.MaxInt64}},
		}
		look := func() (blocks []store.Block, horizon store.Horizon, marks []store.Mark, rows []jobmon.Transition) {
			f.view(func(ctx context.Context, view store.Snapshot) (err error) {
				blocks, err = view.Blocks(ctx, filter)
				return err
			})
			return blocks, f.horizon(), f.marks(), f.history()
		}
		stored := store.Block{BlockKey: store.BlockKey{WorkflowID: f.workflow, Kind: "R", Width: minute, Start: sharp}, Generation: 1, Cells: []byte("x")}
		f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
			f.ok(tx.SaveBlocks(ctx, []store.Block{stored}))
			return lockHorizon(f.workflow)(ctx, tx)
		})
		_, horizon, marks, rows := look()
		failure := errors.New("failure")
		err := s.Maintain(t.Context(), func(ctx context.Context, tx store.UpkeepTx) error {
			f.ok(tx.DeleteBlocks(ctx, f.workflow, filter.Ranges))
			next := stored
			next.Start += hour
			f.ok(tx.SaveBlocks(ctx, []store.Block{next}))
			f.ok(tx.SaveHorizon(ctx, store.Horizon{WorkflowID: f.workflow, RowsFrom: sharp, Generation: 5}))
			f.ok(tx.AddMarks(ctx, f.workflow, []int64{sharp}))
			_, err := tx.DeleteMarks(ctx, []int64{marks[0].ID})
			f.ok(err)
			_, err = tx.DeleteTransitions(ctx, f.always(), 2)
			f.ok(err)
			return failure
		})
		if !errors.Is(err, failure) {
			t.Errorf("got %v", err)
		}
		gotBlocks, gotHorizon, gotMarks, gotRows := look()
		equal(t, "marks", gotMarks, marks)
		equal(t, "rows", gotRows, rows)
		sameBlocks(t, "blocks", gotBlocks, stored)
		if gotHorizon != horizon {
			t.Errorf("horizon %+v", gotHorizon)
		}
	},

	"UpkeepIsRefusedWhatIsNoInstant": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for _, at := range []int64{-1, store.MaxInstant + 1} {
			for _, horizon := range []store.Horizon{{RowsFrom: at}, {DataFrom: at}, {FirstAt: at}, {LastAt: at}} {
				horizon.WorkflowID = f.workflow
				f.code(s.Maintain(t.Context(), func(ctx context.Context, tx store.UpkeepTx) error {
					f.ok(lockHorizon(f.workflow)(ctx, tx))
					return tx.SaveHorizon(ctx, horizon)
				}), jobmon.CodeInvalid)
			}
		}
		if got := f.horizon(); got != (store.Horizon{WorkflowID: f.workflow}) {
			t.Errorf("horizon %+v", got)
		}
	},
}
