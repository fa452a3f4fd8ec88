package storetest

import (
	"context"
	"slices"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

var instanceTests = map[string]func(t *testing.T, s store.Store){
	"ABatchIsNumberedInTheOrderGiven": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		orders := [][]int64{{f.tasks[2], f.tasks[0], f.tasks[1]}, {f.tasks[1]}}
		for i, order := range orders {
			f.queue(begin+int64(i), order...)
		}
		f.queue(begin)
		last := int64(0)
		for i, order := range orders {
			got := f.instances(store.InstanceFilter{ArrayID: f.array, BatchNum: int64(i) + 1})
			if len(got) != len(order) {
				t.Fatalf("batch %d: %+v", i+1, got)
			}
			for step, instance := range got {
				want := store.Instance{
					ID: instance.ID, RunID: f.run, WorkflowID: f.workflow, ArrayID: f.array, ArrayName: "array",
					TaskID: order[step], TaskResourcesID: f.resources, BatchNum: int64(i) + 1, StepID: int64(step),
					Status: jobmon.InstanceQueued, StatusAt: begin + int64(i),
					Newest: i == 1 || order[step] != f.tasks[1],
				}
				if instance != want || instance.ID <= last {
					t.Errorf("got %+v, want %+v, after id %d", instance, want, last)
				}
				last = instance.ID
			}
		}
	},

	"BatchesAreNumberedByArray": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		f.queue(begin, f.tasks...)
		f.template = f.newTemplate("other")
		f.array = f.newArray(f.template.ID)
		f.queue(begin, f.addTasks(1)...)
		if got := f.instances(store.InstanceFilter{ArrayID: f.array}); len(got) != 1 || got[0].BatchNum != 1 {
			t.Errorf("got %+v", got)
		}
	},

	"ABatchLargerThanAnyStatement": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		f.tasks = f.addManyTasks(5000) // with 8 parameters each
		f.queue(begin, f.tasks...)
		got := f.instances(store.InstanceFilter{RunID: f.run})
		if len(got) != len(f.tasks) {
			t.Fatalf("%d instances", len(got))
		}
		for i, instance := range got {
			if instance.TaskID != f.tasks[i] || instance.StepID != int64(i) {
				t.Fatalf("step %d is %+v", i, instance)
			}
		}
	},

	"AnInstanceNeedsWhatItNames": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 1)
		for name, spoil := range map[string]func(*store.InstanceBatch){
			"run":       func(b *store.InstanceBatch) { b.RunID = 1 << 40 },
			"array":     func(b *store.InstanceBatch) { b.ArrayID = 1 << 40 },
			"resources": func(b *store.InstanceBatch) { b.TaskResourcesID = 1 << 40 },
			"task":      func(b *store.InstanceBatch) { b.TaskIDs = []int64{1 << 40} },
		} {
			batch := store.InstanceBatch{RunID: f.run, ArrayID: f.array, TaskResourcesID: f.resources, TaskIDs: f.tasks, At: begin}
			spoil(&batch)
			err := s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error { return tx.QueueInstances(ctx, batch) })
			t.Run(name, func(t *testing.T) { wantCode(t, err, jobmon.CodeNotFound) })
		}
	},

	"TheNewestIsOfItsTaskNotOfItsRun": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.queue(begin, f.tasks...)
		first := f.run
		f.update(func(ctx context.Context, tx store.Tx) (err error) {
			f.run, err = tx.SaveRun(ctx, store.Run{WorkflowID: f.workflow, Status: jobmon.RunLinking, StatusAt: begin})
			return err
		})
		f.queue(begin-1, f.tasks[0]) // later, and the clock was set back
		for _, c := range []struct {
			filter store.InstanceFilter
			want   []int64
		}{
			{store.InstanceFilter{RunID: first, NewestOnly: true}, f.tasks[1:]},
			{store.InstanceFilter{RunID: f.run, NewestOnly: true}, f.tasks[:1]},
			{store.InstanceFilter{ArrayID: f.array, BatchNum: 1, NewestOnly: true}, f.tasks[1:]},
			{store.InstanceFilter{TaskIDs: f.tasks, NewestOnly: true}, []int64{f.tasks[1], f.tasks[0]}},
		} {
			var got []int64
			for _, instance := range f.instances(c.filter) {
				if got = append(got, instance.TaskID); !instance.Newest {
					t.Errorf("%+v is not the newest", instance)
				}
			}
			equal(t, "tasks", got, c.want)
		}
	},

	"Filters": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 3), newFixture(t, s, "b", 1)
		f.queue(begin, f.tasks...)
		f.queue(begin, f.tasks[:2]...)
		other.queue(begin, other.tasks...)
		all := f.instances(store.InstanceFilter{RunID: f.run})
		id := func(which ...int) (ids []int64) {
			for _, i := range which {
				ids = append(ids, all[i].ID)
			}
			return ids
		}
		f.update(func(ctx context.Context, tx store.Tx) error {
			return tx.MoveInstances(ctx, store.InstanceMove{IDs: id(0, 3), To: jobmon.InstanceRunning, At: begin})
		})
		running := []jobmon.InstanceStatus{jobmon.InstanceRunning, jobmon.InstanceDone}
		for _, c := range []struct {
			name   string
			filter store.InstanceFilter
			want   []int64
		}{
			{"empty", store.InstanceFilter{}, nil},
			{"ids", store.InstanceFilter{IDs: id(4, 1, 1)}, id(1, 4)},
			{"tasks", store.InstanceFilter{TaskIDs: []int64{f.tasks[1], f.tasks[2]}}, id(1, 2, 4)},
			{"newest of tasks", store.InstanceFilter{TaskIDs: []int64{f.tasks[1], f.tasks[2]}, NewestOnly: true}, id(2, 4)},
			{"run", store.InstanceFilter{RunID: f.run}, id(0, 1, 2, 3, 4)},
			{"workflow", store.InstanceFilter{WorkflowID: f.workflow}, id(0, 1, 2, 3, 4)},
			{"newest of workflow", store.InstanceFilter{WorkflowID: f.workflow, NewestOnly: true}, id(2, 3, 4)},
			{"array", store.InstanceFilter{ArrayID: f.array}, id(0, 1, 2, 3, 4)},
			{"batch", store.InstanceFilter{ArrayID: f.array, BatchNum: 2}, id(3, 4)},
			{"no such batch", store.InstanceFilter{ArrayID: f.array, BatchNum: 3}, nil},
			{"statuses", store.InstanceFilter{WorkflowID: f.workflow, Statuses: running}, id(0, 3)},
			{"newest, by status", store.InstanceFilter{WorkflowID: f.workflow, Statuses: running, NewestOnly: true}, id(3)},
		} {
			t.Run(c.name, func(t *testing.T) {
				equal(t, "read", instanceIDs(f.instances(c.filter)), c.want)
				f.update(func(ctx context.Context, tx store.Tx) error {
					locked, err := tx.LockInstances(ctx, c.filter)
					f.ok(err)
					equal(t, "locked", instanceIDs(locked), c.want)
					found, err := tx.Instances(ctx, c.filter)
					equal(t, "found", found, locked)
					return err
				})
			})
		}
	},

	"AMoveAndItsReport": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.queue(begin, f.tasks...)
		before := f.instances(store.InstanceFilter{RunID: f.run})
		text, number := "🌊 ", begin+5
		for i, report := range []store.InstanceReport{
			{
				DistributorID: &text, Nodename: &text, ProcessGroupID: &number, Stdout: &text, Stderr: &text, StdoutLog: &text,
				StderrLog: &text, Wallclock: &text, MaxRSS: &text, CPU: &text, Usage: &text, SubmittedAt: &number, ReportBy: &number,
			},
			{},
		} {
			to := []jobmon.InstanceStatus{jobmon.InstanceInstantiated, jobmon.InstanceRunning}[i]
			f.update(func(ctx context.Context, tx store.Tx) error {
				return tx.MoveInstances(ctx, store.InstanceMove{IDs: []int64{before[0].ID}, To: to, At: begin + 7, Report: report})
			})
			before[0].Status, before[0].StatusAt = to, begin+7
			equal(t, "instances", f.instances(store.InstanceFilter{RunID: f.run}), before)
		}
		f.update(func(ctx context.Context, tx store.Tx) error {
			return tx.MoveInstances(ctx, store.InstanceMove{To: jobmon.InstanceDone, At: begin})
		})
		equal(t, "after a move of none", f.instances(store.InstanceFilter{RunID: f.run}), before)
	},

	"ErrorsOfInstances": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.queue(begin, f.tasks...)
		ids := instanceIDs(f.instances(store.InstanceFilter{RunID: f.run}))
		f.update(func(ctx context.Context, tx store.Tx) error {
			f.ok(tx.AppendInstanceErrors(ctx, ids, "exit code 1: 🌊", begin))
			f.ok(tx.AppendInstanceErrors(ctx, slices.Clone(ids[:1]), "", begin))
			return tx.AppendInstanceErrors(ctx, nil, "nobody's", begin)
		})
	},
}

func instanceIDs(instances []store.Instance) []int64 {
	ids := make([]int64, len(instances))
	for i, instance := range instances {
		ids[i] = instance.ID
	}
	return ids
}
