package storetest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

const (
	minute = int64(60_000_000)
	hour   = 60 * minute
	// sharp is the first instant of a minute, and of an hour, after that of the fixtures.
	sharp = begin - begin%hour + hour
)

// everyMark selects every mark of the workflow.
func (f *fixture) everyMark() store.MarkFilter {
	return store.MarkFilter{WorkflowID: f.workflow, Before: math.MaxInt64}
}

// marks returns the workflow's marks, and demands that they are in order.
func (f *fixture) marks() (marks []store.Mark) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		marks, err = view.Marks(ctx, f.everyMark())
		return err
	})
	for i := range marks[min(1, len(marks)):] {
		if a, b := marks[i], marks[i+1]; a.Minute > b.Minute || a.Minute == b.Minute && a.ID >= b.ID {
			f.Errorf("mark %+v comes after %+v", b, a)
		}
	}
	return marks
}

// marksOf runs a change and returns the minutes, ascending, of the marks that it added.
func (f *fixture) marksOf(change func(ctx context.Context, tx store.Tx) error) []int64 {
	f.Helper()
	before := f.marks()
	f.update(change)
	added := slices.DeleteFunc(f.marks(), func(m store.Mark) bool { return slices.Contains(before, m) })
	if got := len(f.marks()) - len(added); got != len(before) {
		f.Errorf("of %d marks %d are left", len(before), got)
	}
	return minutesOf(added)
}

func minutesOf(marks []store.Mark) []int64 {
	var minutes []int64
	for _, mark := range marks {
		minutes = append(minutes, mark.Minute)
	}
	return minutes
}

// minutesIn returns the distinct minutes of rows, ascending.
func minutesIn(rows []jobmon.Transition) []int64 {
	var minutes []int64
	for _, row := range rows {
		minutes = append(minutes, row.At-row.At%minute)
	}
	slices.Sort(minutes)
	return slices.Compact(minutes)
}

// distinct returns the marks' minutes, each once.
func distinct(marks []store.Mark) []int64 { return slices.Compact(minutesOf(marks)) }

func moveTo(to jobmon.TaskStatus, at int64, ids ...int64) func(ctx context.Context, tx store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error {
		return tx.MoveTasks(ctx, store.TaskMove{IDs: ids, To: to, At: at})
	}
}

// maintain runs a change of upkeep that has to succeed.
func (f *fixture) maintain(change func(ctx context.Context, tx store.UpkeepTx) error) {
	f.Helper()
	f.ok(f.store.Maintain(f.Context(), change))
}

// keepRowsFrom moves the horizon of the workflow's rows.
func (f *fixture) keepRowsFrom(at int64) {
	f.Helper()
	f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
		horizon, err := tx.LockHorizon(ctx, f.workflow)
		f.ok(err)
		horizon.RowsFrom = at
		return tx.SaveHorizon(ctx, horizon)
	})
}

var markTests = map[string]func(t *testing.T, s store.Store){
	"WhatChangesNothingMarksNothing": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		equal(t, "without tasks", f.marks(), nil)
		f.tasks = f.addTasks(3)
		equal(t, "added", minutesOf(f.marks()), []int64{begin - begin%minute})
		equal(t, "to where they are", f.marksOf(moveTo(jobmon.TaskRegistering, begin+minute, f.tasks...)), nil)
		equal(t, "none", f.marksOf(moveTo(jobmon.TaskQueued, begin+minute)), nil)
		equal(t, "unknown", f.marksOf(moveTo(jobmon.TaskQueued, begin+minute, 1<<40)), nil)
		equal(t, "no tasks", f.marksOf(func(ctx context.Context, tx store.Tx) error {
			_, err := tx.InsertTasks(ctx, nil, sharp)
			return err
		}), nil)
		equal(t, "moved", f.marksOf(moveTo(jobmon.TaskQueued, sharp, f.tasks[0])), []int64{sharp})
		// One of them is there already, and what would be its minute is no row's.
		f.move(sharp+5*minute, jobmon.TaskInstantiating, f.tasks[0])
		equal(t, "but one", f.marksOf(moveTo(jobmon.TaskInstantiating, sharp+minute, f.tasks...)), []int64{sharp + minute})
	},

	"EachMinuteOfAMoveIsMarkedOnce": func(t *testing.T, s store.Store) {
		for _, n := range []int{3, 99, 100, 101, 102, 750} { // few, and many
			for _, locked := range []bool{false, true} {
				t.Run(fmt.Sprintf("%d tasks, locked before: %t", n, locked), func(t *testing.T) {
					f := newFixture(t, s, newName(), 0)
					tasks := f.addManyTasks(n)
					third := n / 3
					// The clock is set back after these.
					f.move(sharp+7*minute+minute-1, jobmon.TaskQueued, tasks[:third]...)
					f.move(sharp+5*minute, jobmon.TaskQueued, tasks[third:2*third]...)
					got := f.marksOf(func(ctx context.Context, tx store.Tx) error {
						if locked {
							_, err := tx.LockTasks(ctx, store.TaskFilter{IDs: tasks})
							f.ok(err)
						}
						return moveTo(jobmon.TaskInstantiating, sharp+minute, tasks...)(ctx, tx)
					})
					equal(t, "marks", got, []int64{sharp + minute, sharp + 5*minute, sharp + 7*minute})
					equal(t, "all", distinct(f.marks()), minutesIn(f.history()))
				})
			}
		}
	},

	"TwoMovesOfATransactionMarkAMinuteOnce": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		more := f.newTasks(2)
		got := f.marksOf(func(ctx context.Context, tx store.Tx) error {
			f.ok(moveTo(jobmon.TaskQueued, sharp, f.tasks...)(ctx, tx))
			ids, err := tx.InsertTasks(ctx, more, sharp+1)
			f.ok(err)
			f.ok(moveTo(jobmon.TaskInstantiating, sharp+minute-1, f.tasks...)(ctx, tx))
			f.ok(moveTo(jobmon.TaskRunning, sharp+minute, append(ids, f.tasks...)...)(ctx, tx))
			// They get there two minutes later than it says.
			return moveTo(jobmon.TaskDone, sharp-minute, f.tasks...)(ctx, tx)
		})
		equal(t, "marks", got, []int64{sharp, sharp + minute})
		// Another transaction marks them again: the first one's marks may have been read already.
		equal(t, "once more", f.marksOf(moveTo(jobmon.TaskQueued, sharp+minute, f.tasks...)), []int64{sharp + minute})
	},

	"EachWorkflowHasItsOwn": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 1), newFixture(t, s, "b", 1)
		other.move(sharp+5*minute, jobmon.TaskQueued, other.tasks...)
		before := other.marks()
		tasks := append(f.newTasks(1), other.newTasks(1)...)
		equal(t, "moved", f.marksOf(moveTo(jobmon.TaskRunning, sharp, f.tasks[0], other.tasks[0])), []int64{sharp})
		equal(t, "moved, of the other", minutesOf(other.marks()[len(before):]), []int64{sharp + 5*minute})
		equal(t, "added", f.marksOf(func(ctx context.Context, tx store.Tx) error {
			_, err := tx.InsertTasks(ctx, tasks, sharp+minute)
			return err
		}), []int64{sharp + minute})
		equal(t, "all of the other", distinct(other.marks()), minutesIn(other.history()))
	},

	"AMinuteIsMarkedByItsFirstInstant": func(t *testing.T, s store.Store) {
		instants := []int64{sharp - minute, sharp - 1, sharp, sharp + 1, sharp + minute - 1, sharp + minute, store.MaxInstant}
		for _, at := range append(instants, someInstants...) {
			f := newFixture(t, s, newName(), 0)
			tasks := f.newTasks(1)
			want := []int64{at - at%minute}
			equal(t, fmt.Sprintf("added at %d", at), f.marksOf(func(ctx context.Context, tx store.Tx) (err error) {
				f.tasks, err = tx.InsertTasks(ctx, tasks, at)
				return err
			}), want)
			equal(t, fmt.Sprintf("moved at %d", at), f.marksOf(moveTo(jobmon.TaskQueued, at, f.tasks...)), want)
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error { return tx.AddMarks(ctx, f.workflow, []int64{at}) })
			equal(t, fmt.Sprintf("asked for at %d", at), minutesOf(f.marks()), slices.Repeat(want, 3))
		}
	},

	"ARowAndItsMarkAreStoredTogether": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		more := f.newTasks(1)
		rows, marks := f.history(), f.marks()
		failure := errors.New("failure")
		for _, end := range []error{failure, nil} {
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				f.ok(moveTo(jobmon.TaskQueued, sharp, f.tasks...)(ctx, tx))
				_, err := tx.InsertTasks(ctx, more, sharp+minute)
				f.ok(err)
				// Nobody else sees either.
				equal(t, "rows", f.history(), rows)
				equal(t, "marks", f.marks(), marks)
				return end
			})
			if !errors.Is(err, end) {
				t.Errorf("got %v, want %v", err, end)
			}
			if end != nil {
				equal(t, "rows of a failure", f.history(), rows)
				equal(t, "marks of a failure", f.marks(), marks)
			}
		}
		equal(t, "minutes", minutesIn(f.history()), minutesOf(f.marks()))
		equal(t, "marks", minutesOf(f.marks()), []int64{begin - begin%minute, sharp, sharp + minute})
	},

	"EverySnapshotHasTheMarksOfItsRows": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 4)
		const moves = 25
		moving := make(chan struct{})
		watched := make(chan error, 1)
		go func() {
			watched <- func() error {
				for seen := false; ; {
					var rows []jobmon.Transition
					var marks []store.Mark
					err := s.View(t.Context(), func(ctx context.Context, view store.Snapshot) (err error) {
						// The marks first: what comes to be later is not in the snapshot.
						if marks, err = view.Marks(ctx, f.everyMark()); err != nil {
							return err
						}
						rows, err = gather(view.Changes(ctx, f.always()))
						return err
					})
					if err != nil || seen {
						return err
					}
					if !slices.Equal(distinct(marks), minutesIn(rows)) {
						t.Errorf("%d minutes of rows have other marks: %+v", len(minutesIn(rows)), marks)
						return nil
					}
					select {
					case <-moving:
						seen = true // one look at the end of it
					default:
					}
				}
			}()
		}()
		errs := atOnce(len(f.tasks), func(i int) error {
			for n := range int64(moves) {
				to := []jobmon.TaskStatus{jobmon.TaskQueued, jobmon.TaskInstantiating}[n%2]
				if err := s.Update(t.Context(), moveTo(to, sharp+n*minute+int64(i)*20*minute, f.tasks[i])); err != nil {
					return err
				}
			}
			return nil
		})
		close(moving)
		f.ok(firstError(append(errs, <-watched)...))
		if n := len(f.marks()); n != 1+moves*len(f.tasks) {
			t.Errorf("%d marks", n)
		}
	},

	"AnIDIsNeverUsedAgain": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		last := f.marks()[0].ID
		for i := range int64(3) {
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
				_, err := tx.DeleteMarks(ctx, []int64{last})
				return err
			})
			equal(t, "after the last was deleted", f.marks(), nil)
			f.move(sharp, []jobmon.TaskStatus{jobmon.TaskQueued, jobmon.TaskInstantiating}[i%2], f.tasks...)
			marks := f.marks()
			if len(marks) != 1 || marks[0].ID <= last {
				t.Fatalf("after mark %d came %+v", last, marks)
			}
			last = marks[0].ID
		}
	},

	"MarksAreSelectedByTheirBeginning": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 0), newFixture(t, s, "b", 0)
		other.addTasks(1)
		for _, at := range []int64{sharp + minute, sharp, sharp + 3*minute, sharp, 0} {
			f.maintain(func(ctx context.Context, tx store.UpkeepTx) error {
				return tx.AddMarks(ctx, f.workflow, []int64{at + 5})
			})
		}
		for _, c := range []struct {
			from, before int64
			want         []int64
		}{
			{sharp, sharp + minute, []int64{sharp, sharp}},
			{sharp, sharp + minute + 1, []int64{sharp, sharp, sharp + minute}},
			{sharp + 1, sharp + 3*minute + 1, []int64{sharp + minute, sharp + 3*minute}},
			{sharp - minute + 1, sharp + 1, []int64{sharp, sharp}},
			{sharp + minute, sharp + minute, nil}, {sharp + minute, sharp, nil}, {sharp + minute + 1, sharp + 3*minute, nil},
			{0, 1, []int64{0}}, {0, 0, nil}, {math.MinInt64, 1, []int64{0}}, {1, sharp, nil}, {math.MinInt64, math.MinInt64 + 1, nil},
			{sharp + minute, math.MaxInt64, []int64{sharp + minute, sharp + 3*minute}}, {math.MaxInt64, math.MaxInt64, nil},
		} {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				marks, err := view.Marks(ctx, store.MarkFilter{WorkflowID: f.workflow, From: c.from, Before: c.before})
				equal(t, fmt.Sprintf("[%d, %d)", c.from, c.before), minutesOf(marks), c.want)
				return err
			})
		}
		f.marks() // which looks at their order
	},

	"NoRowIsAddedBeforeThoseThatAreKept": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 150), newFixture(t, s, "b", 1)
		f.move(sharp+hour, jobmon.TaskQueued, f.tasks[0])
		f.keepRowsFrom(sharp)
		more := f.newTasks(1)
		add := func(at int64) func(ctx context.Context, tx store.Tx) error {
			return func(ctx context.Context, tx store.Tx) error { _, err := tx.InsertTasks(ctx, more, at); return err }
		}
		tasks, rows, marks := f.stored(store.TaskFilter{WorkflowID: f.workflow}), f.history(), f.marks()
		for what, change := range map[string]func(ctx context.Context, tx store.Tx) error{
			"one added":               add(sharp - 1),
			"one moved":               moveTo(jobmon.TaskInstantiating, sharp-1, f.tasks[1]),
			"many moved":              moveTo(jobmon.TaskInstantiating, sharp-1, f.tasks[1:]...),
			"one of many moved":       moveTo(jobmon.TaskInstantiating, sharp-1, f.tasks[:2]...),
			"long before":             moveTo(jobmon.TaskInstantiating, 1, f.tasks[1]),
			"after what is allowed":   firstThen(moveTo(jobmon.TaskInstantiating, sharp, f.tasks[1]), add(sharp-minute)),
			"before what is allowed":  firstThen(add(sharp-hour), moveTo(jobmon.TaskInstantiating, sharp, f.tasks[1])),
			"with another workflow's": moveTo(jobmon.TaskInstantiating, sharp-1, f.tasks[1], other.tasks[0]),
		} {
			f.code(s.Update(t.Context(), change), jobmon.CodeUnavailable)
			f.code(s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				f.code(change(ctx, tx), jobmon.CodeUnavailable)
				return nil // it is refused for all that
			}), jobmon.CodeUnavailable)
			equal(t, what+": tasks", f.stored(store.TaskFilter{WorkflowID: f.workflow}), tasks)
			equal(t, what+": rows", f.history(), rows)
			equal(t, what+": marks", f.marks(), marks)
		}
		// What gets there later than it says is no row before, and nor is what stays.
		equal(t, "a task of later", f.marksOf(moveTo(jobmon.TaskInstantiating, sharp-1, f.tasks[0])), []int64{sharp + hour})
		equal(t, "to where they are", f.marksOf(moveTo(jobmon.TaskRegistering, 1, f.tasks[1:]...)), nil)
		equal(t, "at the horizon", f.marksOf(add(sharp)), []int64{sharp})
		equal(t, "at it, many", f.marksOf(moveTo(jobmon.TaskRunning, sharp, f.tasks[1:]...)), []int64{sharp})
		other.move(sharp-1, jobmon.TaskQueued, other.tasks...)
	},
}

// firstThen makes one change of two.
func firstThen(changes ...func(ctx context.Context, tx store.Tx) error) func(ctx context.Context, tx store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error {
		for _, change := range changes {
			if err := change(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	}
}
