package storetest

import (
	"context"
	"slices"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

var taskTests = map[string]func(t *testing.T, s store.Store){
	"TasksComeBackAsTheyWereInserted": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		tasks := f.newTasks(4)
		slices.Reverse(tasks)
		tasks[0].ArgsHash, tasks[0].Name, tasks[0].Command = digits, "🌊 ", "echo '\"\n"
		tasks[1].TaskResourcesID, tasks[1].ResourceScales, tasks[1].FallbackQueues = 0, `{"memory": 0.5}`, `["q"]`
		tasks[2].NodeID = tasks[1].NodeID // told apart by its arguments
		tasks[2].ArgsHash = "Args"
		tasks[3].Status, tasks[3].NumAttempts = jobmon.TaskRunning, 7 // not for a new task
		var ids []int64
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			ids, err = tx.InsertTasks(ctx, tasks, begin+7)
			return err
		})
		stored := f.stored(store.TaskFilter{WorkflowID: f.workflow})
		for i, task := range tasks {
			task.ID, task.Status, task.StatusAt, task.NumAttempts = ids[i], jobmon.TaskRegistering, begin+7, 0
			if !slices.Contains(stored, task) {
				t.Errorf("%+v is not among %+v", task, stored)
			}
		}
		if !slices.IsSorted(taskIDs(stored)) || len(stored) != 4 {
			t.Errorf("ids %v", taskIDs(stored))
		}
	},

	"OneTaskForOneNodeAndArguments": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		again := f.stored(store.TaskFilter{IDs: f.tasks})
		again = append(f.newTasks(1), again...)
		err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.InsertTasks(ctx, again, begin)
			return err
		})
		f.code(err, jobmon.CodeConflict)
		twice := f.newTasks(1)
		err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.InsertTasks(ctx, append(twice, twice...), begin)
			return err
		})
		f.code(err, jobmon.CodeConflict)
		if rows := f.history(); len(rows) != 1 {
			t.Errorf("history %v", rows)
		}
	},

	"ATaskNeedsWhatItNames": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		for name, spoil := range map[string]func(*store.Task){
			"workflow":  func(t *store.Task) { t.WorkflowID = 1 << 40 },
			"node":      func(t *store.Task) { t.NodeID = 1 << 40 },
			"array":     func(t *store.Task) { t.ArrayID = 1 << 40 },
			"resources": func(t *store.Task) { t.TaskResourcesID = 1 << 40 },
		} {
			tasks := f.newTasks(1)
			spoil(&tasks[0])
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_, err := tx.InsertTasks(ctx, tasks, begin)
				return err
			})
			t.Run(name, func(t *testing.T) { wantCode(t, err, jobmon.CodeNotFound) })
		}
	},

	"Filters": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 6), newFixture(t, s, "b", 2)
		f.move(begin+1, jobmon.TaskQueued, f.tasks[1], f.tasks[2])
		f.move(begin+2, jobmon.TaskDone, f.tasks[3])
		many := slices.Clone(f.tasks[:3])
		for id := int64(1 << 40); len(many) < 33_000; id++ {
			many = append(many, id)
		}
		queued, done := jobmon.TaskQueued, jobmon.TaskDone
		for _, c := range []struct {
			name   string
			filter store.TaskFilter
			want   []int64
		}{
			{"empty", store.TaskFilter{}, nil},
			{"ids", store.TaskFilter{IDs: []int64{f.tasks[5], f.tasks[0], other.tasks[0]}}, []int64{f.tasks[0], f.tasks[5], other.tasks[0]}},
			{"one id twice", store.TaskFilter{IDs: []int64{f.tasks[5], f.tasks[5]}}, f.tasks[5:]},
			{"more ids than parameters", store.TaskFilter{IDs: many}, f.tasks[:3]},
			{"workflow", store.TaskFilter{WorkflowID: other.workflow}, other.tasks},
			{"statuses", store.TaskFilter{WorkflowID: f.workflow, Statuses: []jobmon.TaskStatus{done, queued}}, f.tasks[1:4]},
			{"nodes", store.TaskFilter{WorkflowID: f.workflow, NodeIDs: []int64{f.nodes[4], f.nodes[1], other.nodes[0]}}, []int64{f.tasks[1], f.tasks[4]}},
			{"all at once", store.TaskFilter{IDs: f.tasks[:2], WorkflowID: f.workflow, NodeIDs: f.nodes[1:], Statuses: []jobmon.TaskStatus{queued}}, f.tasks[1:2]},
			{"after an id", store.TaskFilter{WorkflowID: f.workflow, AfterID: f.tasks[3]}, f.tasks[4:]},
			{"after the last", store.TaskFilter{WorkflowID: f.workflow, AfterID: f.tasks[5]}, nil},
			{"after another's", store.TaskFilter{WorkflowID: other.workflow, AfterID: f.tasks[0]}, other.tasks},
			{"the first", store.TaskFilter{WorkflowID: f.workflow, UpToID: f.tasks[1]}, f.tasks[:2]},
			{"as many as there are", store.TaskFilter{WorkflowID: f.workflow, UpToID: 1 << 62}, f.tasks},
			{"a page", store.TaskFilter{WorkflowID: f.workflow, AfterID: f.tasks[1], UpToID: f.tasks[4]}, f.tasks[2:5]},
			{"a page of some", store.TaskFilter{WorkflowID: f.workflow, AfterID: f.tasks[1], UpToID: f.tasks[2], Statuses: []jobmon.TaskStatus{done, queued}}, f.tasks[2:3]},
			{"nothing", store.TaskFilter{IDs: f.tasks, WorkflowID: other.workflow}, nil},
		} {
			t.Run(c.name, func(t *testing.T) {
				equal(t, "read", taskIDs(f.stored(c.filter)), c.want)
				f.update(func(ctx context.Context, tx store.Tx) error {
					locked, err := tx.LockTasks(ctx, c.filter)
					equal(t, "locked", taskIDs(locked), c.want)
					return err
				})
			})
		}
	},

	"DescribeTaskChangesItsDescription": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		before := f.stored(store.TaskFilter{IDs: f.tasks})
		task := before[0]
		task.Name, task.Command, task.MaxAttempts = "New", "false", 9
		described := task
		described.Status, described.NumAttempts, described.ResourceScales = jobmon.TaskDone, 5, "x" // not described
		f.update(func(ctx context.Context, tx store.Tx) error { return tx.DescribeTask(ctx, described) })
		equal(t, "tasks", f.stored(store.TaskFilter{IDs: f.tasks}), []store.Task{task, before[1]})
		if rows := f.history(); len(rows) != 2 {
			t.Errorf("history %v", rows)
		}
	},

	"Neighbours": func(t *testing.T, s store.Store) {
		// 0 → 2, 0 → 3, 1 → 3, 3 → 4; task 5 is alone.
		f, other := newFixture(t, s, "a", 6), newFixture(t, s, "b", 1)
		n := f.nodes
		f.ok(s.AddEdges(t.Context(), f.dag, []store.Edge{
			{NodeID: n[0], Downstream: []int64{n[3], n[2]}},
			{NodeID: n[1], Downstream: []int64{n[3]}},
			{NodeID: n[2], Upstream: []int64{n[0]}},
			{NodeID: n[3], Upstream: []int64{n[0], n[1]}, Downstream: []int64{n[4]}},
			{NodeID: n[4], Upstream: []int64{n[3]}},
			{NodeID: n[5]},
		}, true))
		task := func(which ...int) (ids []int64) {
			for _, i := range which {
				ids = append(ids, f.tasks[i])
			}
			return ids
		}
		for _, c := range []struct {
			name     string
			workflow int64
			of       []int64
			upstream bool
			want     []int64
		}{
			{"after one", f.workflow, task(0), false, task(2, 3)},
			{"after several", f.workflow, task(1, 0, 3), false, task(2, 3, 4)},
			{"before one", f.workflow, task(3), true, task(0, 1)},
			{"before several", f.workflow, task(4, 3, 2), true, task(0, 1, 3)},
			{"at the end", f.workflow, task(4, 5), false, nil},
			{"of nobody", f.workflow, nil, false, nil},
			{"in another workflow", other.workflow, task(0), false, nil},
		} {
			f.update(func(ctx context.Context, tx store.Tx) error {
				found, err := tx.Neighbours(ctx, c.workflow, c.of, c.upstream)
				equal(t, c.name, taskIDs(found), c.want)
				return err
			})
		}
	},
}
