package storetest

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// crowd is more than a store has connections.
const crowd = 50

// atOnce makes n calls at the same time and returns their errors.
func atOnce(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() { errs[i] = call(i) })
	}
	calls.Wait()
	return errs
}

// succeeded counts the calls without an error, and lets no other error pass than CodeContention.
func succeeded(t tester, errs []error) (n int) {
	t.Helper()
	for _, err := range errs {
		if err == nil {
			n++
		} else {
			wantCode(t, err, jobmon.CodeContention)
		}
	}
	return n
}

// attempt is a change that locks tasks and counts an attempt at each of them.
func attempt(tasks ...int64) func(ctx context.Context, tx store.Tx) error {
	return func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.LockTasks(ctx, store.TaskFilter{IDs: tasks}); err != nil {
			return err
		}
		return tx.MoveTasks(ctx, store.TaskMove{IDs: tasks, To: jobmon.TaskQueued, At: begin, Attempts: store.AddAttempt})
	}
}

var atOnceTests = map[string]func(t *testing.T, s store.Store){
	"ACrowdOfReadersHoldsUpNoWriter": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		inside, ended, released := make(chan struct{}, crowd), make(chan error, crowd), make(chan struct{})
		release := sync.OnceFunc(func() { close(released) })
		defer release()
		for range crowd {
			go func() {
				ended <- s.View(t.Context(), func(ctx context.Context, view store.Snapshot) error {
					before, err := view.CountTransitions(ctx, f.always(), 1<<40)
					if err != nil {
						return err
					}
					inside <- struct{}{}
					<-released
					after, err := view.CountTransitions(ctx, f.always(), 1<<40)
					if before != after {
						t.Errorf("a view had %d transitions and then %d", before, after)
					}
					return err
				})
			}()
		}
		<-inside
		// The others come in, or wait to, while these are made.
		for i := range manyTimes {
			f.move(begin, []jobmon.TaskStatus{jobmon.TaskQueued, jobmon.TaskInstantiating}[i%2], f.tasks...)
		}
		held := len(inside) + 1
		release()
		var errs []error
		for range crowd {
			errs = append(errs, <-ended)
		}
		if n := succeeded(t, errs); n < held {
			t.Errorf("%d views were held open, and %d of all ended well", held, n)
		}
	},

	"ACrowdOfWritersHoldsUpNoReader": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		begun, ended := make(chan struct{}, crowd), make(chan error, crowd)
		f.update(func(ctx context.Context, tx store.Tx) error {
			if err := attempt(f.tasks...)(ctx, tx); err != nil {
				return err
			}
			for range crowd {
				go func() {
					begun <- struct{}{}
					ended <- s.Update(t.Context(), attempt(f.tasks...))
				}()
			}
			for range crowd {
				<-begun
			}
			for range manyTimes {
				if task := f.stored(store.TaskFilter{IDs: f.tasks})[0]; task.NumAttempts != 0 || len(f.history()) != 1 {
					t.Fatalf("before the first writer's end: %+v", task)
				}
			}
			return nil
		})
		var errs []error
		for range crowd {
			errs = append(errs, <-ended)
		}
		n := 1 + succeeded(t, errs)
		if got := f.stored(store.TaskFilter{IDs: f.tasks})[0].NumAttempts; got < n || got > 1+crowd {
			t.Errorf("%d attempts are stored, %d were told done", got, n)
		}
	},

	"AReaderOfThePastDoesNotSeeALockedTask": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		before, history := f.stored(store.TaskFilter{IDs: f.tasks}), f.history()
		f.update(func(ctx context.Context, tx store.Tx) error {
			_, err := tx.LockTasks(ctx, store.TaskFilter{IDs: f.tasks})
			f.ok(err)
			f.ok(tx.MoveTasks(ctx, store.TaskMove{IDs: f.tasks, To: jobmon.TaskQueued, At: begin + 1}))
			equal(t, "tasks", f.stored(store.TaskFilter{IDs: f.tasks}), before)
			equal(t, "history", f.history(), history)
			return nil
		})
		if task := f.stored(store.TaskFilter{IDs: f.tasks})[0]; task.Status != jobmon.TaskQueued {
			t.Errorf("after the commit: %+v", task)
		}
	},

	"AWriterThatWaitsTooLongIsContention": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		f.update(func(ctx context.Context, tx store.Tx) error {
			_, err := tx.LockTasks(ctx, store.TaskFilter{IDs: f.tasks})
			f.ok(err)
			f.code(s.Update(t.Context(), attempt(f.tasks...)), jobmon.CodeContention)
			return nil
		})
		if task := f.stored(store.TaskFilter{IDs: f.tasks})[0]; task.NumAttempts != 0 {
			t.Errorf("it was refused, and stored: %+v", task)
		}
		f.update(attempt(f.tasks...))
		if task := f.stored(store.TaskFilter{IDs: f.tasks})[0]; task.NumAttempts != 1 {
			t.Errorf("after another try: %+v", task)
		}
	},

	"AWaitEndsWithItsContext": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		f.update(func(ctx context.Context, tx store.Tx) error {
			_, err := tx.LockTasks(ctx, store.TaskFilter{IDs: f.tasks})
			f.ok(err)
			waiting, cancel := context.WithCancel(t.Context())
			begun, ended := make(chan struct{}), make(chan error, 1)
			go func() {
				close(begun)
				ended <- s.Update(waiting, attempt(f.tasks...))
			}()
			<-begun
			cancel()
			f.code(<-ended, jobmon.CodeUnavailable)
			return nil
		})
		if rows := f.history(); len(rows) != 1 {
			t.Errorf("history %v", rows)
		}
	},

	"WritersInEachOthersWayAreRunAgain": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		const rounds = 3
		for range rounds {
			errs := atOnce(2, func(i int) error {
				return s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if _, err := tx.LockTasks(ctx, store.TaskFilter{IDs: f.tasks[i : i+1]}); err != nil {
						return err
					}
					for range manyTimes { // while the other locks the other task, where it may
						if _, err := tx.Now(ctx); err != nil {
							return err
						}
					}
					return attempt(f.tasks...)(ctx, tx)
				})
			})
			f.ok(firstError(errs...))
		}
		for _, task := range f.stored(store.TaskFilter{IDs: f.tasks}) {
			if task.NumAttempts != 2*rounds {
				t.Errorf("%d attempts at a task were stored, %d told done", task.NumAttempts, 2*rounds)
			}
		}
	},

	"EveryInserterGetsItsOwnIDs": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		batches, ids := make([][]store.Task, 8), make([][]int64, 8)
		for i := range batches {
			batches[i] = f.newTasks(20)
			for j := range batches[i] {
				batches[i][j].Name = fmt.Sprintf("task %d of %d", j, i)
			}
		}
		errs := atOnce(len(batches), func(i int) error {
			return s.Update(t.Context(), func(ctx context.Context, tx store.Tx) (err error) {
				ids[i], err = tx.InsertTasks(ctx, batches[i], begin)
				return err
			})
		})
		f.ok(firstError(errs...))
		names := map[int64]string{}
		for _, task := range f.stored(store.TaskFilter{WorkflowID: f.workflow}) {
			names[task.ID] = task.Name
		}
		for i, batch := range batches {
			for j, task := range batch {
				if names[ids[i][j]] != task.Name {
					t.Errorf("%q was told the id of %q", task.Name, names[ids[i][j]])
				}
			}
		}
		audited := []int64{}
		for _, row := range f.history() {
			audited = append(audited, row.TaskID)
		}
		slices.Sort(audited)
		equal(t, "the tasks of the audit", audited, slices.Sorted(slices.Values(slices.Concat(ids...))))
	},

	"EveryBatchGetsItsOwnNumber": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		f.ok(firstError(atOnce(8, func(int) error {
			return s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				if _, err := tx.LockArray(ctx, f.array); err != nil {
					return err
				}
				return tx.QueueInstances(ctx, store.InstanceBatch{
					RunID: f.run, ArrayID: f.array, TaskResourcesID: f.resources, TaskIDs: f.tasks, At: begin,
				})
			})
		})...))
		for batch := range int64(8) {
			var tasks []int64
			for _, instance := range f.instances(store.InstanceFilter{ArrayID: f.array, BatchNum: batch + 1}) {
				tasks = append(tasks, instance.TaskID)
			}
			equal(t, fmt.Sprintf("the tasks of batch %d", batch+1), tasks, f.tasks)
		}
	},

	"NodesRegisteredAtOnceAreRegisteredOnce": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		nodes, ids := make([]store.Node, 40), make([][]int64, 8)
		for i := range nodes {
			nodes[i] = store.Node{
				TaskTemplateVersionID: f.template.ID, ArgsHash: fmt.Sprint(i), Args: map[int64]string{f.template.ArgIDs["x"]: "v"},
			}
		}
		errs := atOnce(len(ids), func(i int) (err error) {
			mine := slices.Clone(nodes)
			if i%2 == 1 {
				slices.Reverse(mine) // in each other's way
			}
			ids[i], err = s.RegisterNodes(t.Context(), mine)
			return err
		})
		if succeeded(t, errs) == 0 {
			t.Fatalf("nobody succeeded")
		}
		want, err := s.RegisterNodes(t.Context(), nodes)
		f.ok(err)
		for i, got := range ids {
			if errs[i] != nil {
				continue
			}
			if i%2 == 1 {
				slices.Reverse(got)
			}
			equal(t, "ids", got, want)
		}
	},

	"VersionsRegisteredAtOnceAreRegisteredOnce": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for round := range manyTimes {
			wanted := store.TaskTemplateVersion{
				TaskTemplateID: f.template.TaskTemplateID, CommandTemplate: fmt.Sprint(round), ArgMappingHash: "2", NodeArgs: []string{"x"},
			}
			versions := make([]store.TaskTemplateVersion, 4)
			f.ok(firstError(atOnce(len(versions), func(i int) (err error) {
				versions[i], err = s.RegisterTaskTemplateVersion(t.Context(), wanted)
				return err
			})...))
			for _, version := range versions[1:] {
				if !reflect.DeepEqual(version, versions[0]) {
					t.Errorf("%+v, and %+v", versions[0], version)
				}
			}
		}
	},

	"PagesStayWhereTheyAre": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		add := func(n int) (ids []int64) {
			f.update(func(ctx context.Context, tx store.Tx) error {
				ids = nil
				for range n {
					key := f.key
					key.TaskHash = newName()
					id, err := tx.SaveWorkflow(ctx, store.Workflow{WorkflowKey: key, Status: jobmon.WorkflowDone, StatusAt: begin})
					f.ok(err)
					ids = append(ids, id)
				}
				return nil
			})
			return ids
		}
		want := append([]int64{f.workflow}, add(6)...)
		slices.Reverse(want)
		var got []int64
		for page := (store.WorkflowFilter{Limit: 2}); ; page.BeforeID = got[len(got)-1] {
			var found []store.WorkflowInfo
			f.view(func(ctx context.Context, view store.Snapshot) (err error) {
				found, err = view.Workflows(ctx, page)
				return err
			})
			for _, workflow := range found {
				got = append(got, workflow.ID)
			}
			if len(found) < page.Limit || len(got) > len(want) {
				break
			}
			add(2)
		}
		equal(t, "workflows", got, want)
	},

	"WhatIsReadDoesNotGrowMeanwhile": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		f.tasks = f.addManyTasks(1000) // more than a driver reads ahead
		f.move(begin+1, jobmon.TaskQueued, f.tasks[:10]...)
		history, tasks := f.history(), f.stored(store.TaskFilter{WorkflowID: f.workflow})
		writes := 0
		write := func(row int) {
			if row%200 != 0 {
				return
			}
			f.move(begin+2, []jobmon.TaskStatus{jobmon.TaskInstantiating, jobmon.TaskRunning}[writes%2], f.tasks...)
			f.addTasks(1)
			writes++
		}
		f.view(func(ctx context.Context, view store.Snapshot) error {
			var rows []jobmon.Transition
			for row, err := range view.Transitions(ctx, f.always()) {
				f.ok(err)
				write(len(rows))
				rows = append(rows, row)
			}
			if !slices.Equal(rows, history) {
				t.Errorf("%d transitions of %d before, or others", len(rows), len(history))
			}
			var found []store.Task
			for task, err := range view.Tasks(ctx, store.TaskFilter{WorkflowID: f.workflow}) {
				f.ok(err)
				write(len(found))
				found = append(found, task)
			}
			if !slices.Equal(found, tasks) {
				t.Errorf("%d tasks of %d before, or others", len(found), len(tasks))
			}
			return nil
		})
		if added := len(f.stored(store.TaskFilter{WorkflowID: f.workflow})) - len(tasks); added != writes || writes < 10 {
			t.Errorf("%d tasks were added and are %d", writes, added)
		}
	},
}
