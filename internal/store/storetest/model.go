package storetest

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

var names atomic.Int64

// newName returns a name that no other fixture has.
func newName() string { return strconv.FormatInt(names.Add(1), 10) }

// model is the store in memory, for the statuses of one workflow's tasks.
type model struct {
	tasks []store.Task
	rows  []jobmon.Transition
	lives map[int64]*life // by task id
}

func (m *model) move(move store.TaskMove) {
	for i := range m.tasks {
		task := &m.tasks[i]
		if !slices.Contains(move.IDs, task.ID) {
			continue
		}
		retry := move.Retry(task.NumAttempts)
		task.NumAttempts = move.Attempts.Of(task.NumAttempts)
		if move.TaskResourcesID != 0 {
			task.TaskResourcesID = move.TaskResourcesID
		}
		if task.Status == move.To {
			continue
		}
		at, life := max(move.At, task.StatusAt), m.lives[task.ID]
		m.rows = append(m.rows, jobmon.Transition{
			TaskID: task.ID, WorkflowID: task.WorkflowID, TaskTemplateID: life.template,
			From: task.Status, To: move.To, At: at, PreviousAt: task.StatusAt, Retry: retry,
		})
		life.moves = append(life.moves, jobmon.Move{To: move.To, At: at})
		task.Status, task.StatusAt = move.To, at
	}
}

func (m *model) add(template int64, tasks []store.Task, ids []int64, at int64) {
	for i, task := range tasks {
		task.ID, task.Status, task.StatusAt = ids[i], jobmon.TaskRegistering, at
		m.tasks = append(m.tasks, task)
		m.lives[task.ID] = &life{template, []jobmon.Move{{To: task.Status, At: at}}}
	}
	slices.SortFunc(m.tasks, func(a, b store.Task) int { return cmp.Compare(a.ID, b.ID) })
	for _, id := range slices.Sorted(slices.Values(ids)) {
		m.rows = append(m.rows, jobmon.Transition{
			TaskID: id, WorkflowID: tasks[0].WorkflowID, TaskTemplateID: template, To: jobmon.TaskRegistering, At: at,
		})
	}
}

var modelTests = map[string]func(t *testing.T, s store.Store){
	"RandomHistories": func(t *testing.T, s store.Store) {
		rapid.Check(t, func(t *rapid.T) {
			f := newFixture(t, s, newName(), 0)
			first, second := f.template, f.newTemplate("second")
			arrays := map[int64]int64{first.ID: f.array, second.ID: f.newArray(second.ID)}
			templates := []int64{first.TaskTemplateID, second.TaskTemplateID}
			// Few instants, so that many fall together and some go back: all of one minute, or of two, or of more.
			base := rapid.SampledFrom([]int64{begin, sharp - 10}).Draw(t, "base")
			stride := rapid.SampledFrom([]int64{1, 1, 7_000_000, minute}).Draw(t, "stride")
			instants := rapid.Map(rapid.Int64Range(0, 20), func(n int64) int64 { return base + n*stride })
			m := model{lives: map[int64]*life{}}
			steps := rapid.IntRange(1, 15).Draw(t, "steps")
			for range steps {
				at := instants.Draw(t, "at")
				if len(m.tasks) == 0 || rapid.IntRange(0, 4).Draw(t, "add") == 0 {
					f.template = rapid.SampledFrom([]store.TaskTemplateVersion{first, second}).Draw(t, "template")
					f.array = arrays[f.template.ID]
					tasks := f.newTasks(rapid.IntRange(1, 5).Draw(t, "tasks"))
					f.update(func(ctx context.Context, tx store.Tx) error {
						ids, err := tx.InsertTasks(ctx, tasks, at)
						f.ok(err)
						m.add(f.template.TaskTemplateID, tasks, ids, at)
						return nil
					})
					continue
				}
				ids := rapid.SliceOfNDistinct(rapid.SampledFrom(taskIDs(m.tasks)), 0, len(m.tasks), rapid.ID[int64])
				move := store.TaskMove{
					IDs: ids.Draw(t, "ids"),
					To:  rapid.SampledFrom(jobmon.TaskStatuses()).Draw(t, "to"), At: at,
					Attempts:        rapid.SampledFrom([]store.Attempts{store.KeepAttempts, store.AddAttempt, store.ForgetAttempts}).Draw(t, "attempts"),
					TaskResourcesID: rapid.SampledFrom([]int64{0, f.resources}).Draw(t, "resources"),
				}
				// All of them are locked before, or some, or none; and twice in one transaction is as good as twice.
				locked, next := ids.Draw(t, "locked"), move
				next.IDs, next.To = ids.Draw(t, "next ids"), rapid.SampledFrom(jobmon.TaskStatuses()).Draw(t, "next")
				if rapid.Bool().Draw(t, "lock all") {
					locked = taskIDs(m.tasks)
				}
				f.update(func(ctx context.Context, tx store.Tx) error {
					_, err := tx.LockTasks(ctx, store.TaskFilter{IDs: locked})
					f.ok(err)
					f.ok(tx.MoveTasks(ctx, move))
					return tx.MoveTasks(ctx, next)
				})
				m.move(move)
				m.move(next)
			}
			equal(t, "tasks", f.stored(store.TaskFilter{WorkflowID: f.workflow}), m.tasks)
			slices.SortStableFunc(m.rows, func(a, b jobmon.Transition) int { return cmp.Compare(a.At, b.At) })
			equal(t, "marked minutes", distinct(f.marks()), minutesIn(m.rows))
			from, before := instants.Draw(t, "from"), instants.Draw(t, "before")
			some := f.always()
			some.Statuses = rapid.SliceOfDistinct(rapid.SampledFrom(jobmon.TaskStatuses()), rapid.ID[jobmon.TaskStatus]).Draw(t, "statuses")
			for _, filter := range []store.TransitionFilter{f.always(), {WorkflowID: f.workflow, From: from, Before: before}, some} {
				m.compare(f, filter)
			}
			if stride > 1 {
				return // the model looks at each instant of the window
			}
			window := concurrency.Window{
				Start: rapid.Int64Range(base-5, base+20).Draw(t, "start"), Bucket: rapid.Int64Range(1, 7).Draw(t, "bucket"),
				Count: rapid.IntRange(1, 5).Draw(t, "buckets"),
			}
			m.compareSeries(f, window, rapid.Int64Range(base-5, base+40).Draw(t, "now"), templates)
		})
	},
}

// compare asks the store and the model the same.
func (m *model) compare(f *fixture, filter store.TransitionFilter) {
	var want []jobmon.Transition
	sums := map[store.TransitionCount]int64{}
	for _, row := range m.rows {
		chosen := len(filter.Statuses) == 0 || slices.Contains(filter.Statuses, row.From) || slices.Contains(filter.Statuses, row.To)
		if row.At >= filter.From && row.At < filter.Before && chosen {
			want = append(want, row)
			sums[store.TransitionCount{TaskTemplateID: row.TaskTemplateID, From: row.From, To: row.To, Retry: row.Retry}]++
		}
	}
	f.view(func(ctx context.Context, view store.Snapshot) error {
		got, err := gather(view.Transitions(ctx, filter))
		f.ok(err)
		for i := range got {
			got[i].ID = 0
		}
		equal(f, "rows", got, want)
		changes, err := gather(view.Changes(ctx, filter))
		f.ok(err)
		sameChanges(f, changes, want)
		counted, err := view.CountTransitions(ctx, filter, 1<<40)
		f.ok(err)
		if counted != int64(len(want)) {
			f.Errorf("counted %d of %d rows", counted, len(want))
		}
		summed, err := view.SumTransitions(ctx, filter)
		f.ok(err)
		if len(summed) != len(sums) {
			f.Errorf("sums %v, want %v", summed, sums)
		}
		for _, sum := range summed {
			count := sum.Count
			sum.Count = 0
			if sums[sum] != count {
				f.Errorf("%+v: %d, want %d", sum, count, sums[sum])
			}
		}
		return nil
	})
}
