package ledger

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// TaskBatch is a list of tasks to be queued in one array.
type TaskBatch struct {
	RunID           int64
	ArrayID         int64
	TaskResourcesID int64
	TaskIDs         []int64
}

// TaskStatuses tells the status of every task asked about. Ids ascend.
type TaskStatuses struct {
	ByStatus map[jobmon.TaskStatus][]int64
	Unknown  []int64
}

// QueueTaskBatch moves those of the tasks that may be queued to QUEUED, adds an attempt to each, and
// makes a batch of one instance for each by ascending task id. It returns the status that each of the
// tasks then has: one that was not moved, because of its status or because it is in another array,
// shows in its own. CodeNotFound for the run, the array or the resources.
func (l *Ledger) QueueTaskBatch(ctx context.Context, batch TaskBatch) (TaskStatuses, error) {
	var result TaskStatuses
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		result = TaskStatuses{ByStatus: map[jobmon.TaskStatus][]int64{}}
		run, err := tx.LockRun(ctx, batch.RunID)
		if err != nil {
			return err
		}
		array, err := tx.LockArray(ctx, batch.ArrayID)
		if err != nil {
			return err
		}
		if run.WorkflowID != array.WorkflowID {
			return jobmon.FieldErrorf("workflow_run_id", "workflow run %d and array %d are of different workflows",
				run.ID, array.ID)
		}
		if len(batch.TaskIDs) == 0 {
			return nil
		}
		// Not SKIP LOCKED: steps are numbered over the whole batch, and a batch that comes back short
		// makes a worker run another task's command.
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{IDs: batch.TaskIDs})
		if err != nil {
			return err
		}
		result.Unknown = unknown(batch.TaskIDs, taskIDs(tasks))
		queued, others := partition(tasks, func(t store.Task) bool {
			return t.ArrayID == array.ID && t.Status.MayBecome(jobmon.TaskQueued)
		})
		for _, task := range others {
			result.ByStatus[task.Status] = append(result.ByStatus[task.Status], task.ID)
		}
		if len(queued) == 0 {
			return nil
		}
		ids := taskIDs(queued)
		result.ByStatus[jobmon.TaskQueued] = append(result.ByStatus[jobmon.TaskQueued], ids...)
		slices.Sort(result.ByStatus[jobmon.TaskQueued])
		at, err := l.now(ctx, tx, queued)
		if err != nil {
			return err
		}
		err = tx.MoveTasks(ctx, store.TaskMove{
			IDs: ids, To: jobmon.TaskQueued, At: at, Attempts: store.AddAttempt, TaskResourcesID: batch.TaskResourcesID,
		})
		if err != nil {
			return err
		}
		return tx.QueueInstances(ctx, store.InstanceBatch{
			RunID: batch.RunID, ArrayID: batch.ArrayID, TaskResourcesID: batch.TaskResourcesID, TaskIDs: ids, At: at,
		})
	})
	return result, err
}

// InstantiatedBatch is the part of a batch that is ready to be launched. Instance ids ascend.
type InstantiatedBatch struct {
	ArrayID         int64
	ArrayName       string
	BatchNum        int64
	TaskResourcesID int64
	InstanceIDs     []int64
}

// Instantiate moves queued instances, and their tasks, to INSTANTIATING. It returns those of the
// instances that are instantiated then, whether by this call or an earlier one, grouped by batch, and
// the ids that name no instance.
func (l *Ledger) Instantiate(ctx context.Context, ids []int64) (batches []InstantiatedBatch, missing []int64, err error) {
	if len(ids) == 0 {
		return nil, nil, nil
	}
	filter := store.InstanceFilter{IDs: ids}
	err = l.advance(ctx, filter, jobmon.InstanceInstantiated, nil, func(instances []store.Instance) {
		batches, missing = groupBatches(instances), unknown(ids, instanceIDs(instances))
	})
	return batches, missing, err
}

// groupBatches groups the instantiated ones among the instances.
func groupBatches(instances []store.Instance) []InstantiatedBatch {
	ready, _ := partition(instances, func(i store.Instance) bool { return i.Status == jobmon.InstanceInstantiated })
	slices.SortStableFunc(ready, func(a, b store.Instance) int {
		return cmp.Or(cmp.Compare(a.ArrayID, b.ArrayID), cmp.Compare(a.BatchNum, b.BatchNum),
			cmp.Compare(a.TaskResourcesID, b.TaskResourcesID), cmp.Compare(a.ID, b.ID))
	})
	var batches []InstantiatedBatch
	for _, instance := range ready {
		last := len(batches) - 1
		if last < 0 || batches[last].ArrayID != instance.ArrayID || batches[last].BatchNum != instance.BatchNum ||
			batches[last].TaskResourcesID != instance.TaskResourcesID {
			batches = append(batches, InstantiatedBatch{
				ArrayID: instance.ArrayID, ArrayName: instance.ArrayName, BatchNum: instance.BatchNum,
				TaskResourcesID: instance.TaskResourcesID,
			})
			last++
		}
		batches[last].InstanceIDs = append(batches[last].InstanceIDs, instance.ID)
	}
	return batches
}

// Launch moves the instantiated instances of a batch, and their tasks, to LAUNCHED, to be heard of
// within the given time. An instance whose worker was quicker to report is left alone. CodeNotFound
// for the array.
func (l *Ledger) Launch(ctx context.Context, arrayID, batchNum int64, reportWithin time.Duration) error {
	filter := store.InstanceFilter{ArrayID: arrayID, BatchNum: batchNum}
	report := func(at int64) store.InstanceReport {
		by := at + reportWithin.Microseconds()
		return store.InstanceReport{SubmittedAt: &at, ReportBy: &by}
	}
	return l.advance(ctx, filter, jobmon.InstanceLaunched, report, nil)
}

// advance takes the instances that match one step, each with its task, where both state machines
// allow it and the instance is its task's newest. It hands over the instances as they are then.
func (l *Ledger) advance(
	ctx context.Context, filter store.InstanceFilter, to jobmon.InstanceStatus,
	report func(at int64) store.InstanceReport, seen func([]store.Instance),
) error {
	return l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		instances, tasks, err := lockInstances(ctx, tx, filter)
		if err != nil {
			return err
		}
		var moved []store.Instance
		var ids []int64
		var taskTo jobmon.TaskStatus
		for i, instance := range instances {
			task := tasks[instance.TaskID]
			path := to.TaskMoves(task.Status, task.NumAttempts, task.MaxAttempts)
			if len(path) != 1 || !instance.Newest || !instance.Status.MayBecome(to) || !task.Status.MayBecome(path[0]) {
				continue
			}
			taskTo = path[0]
			ids = append(ids, task.ID)
			moved = append(moved, instance)
			instances[i].Status = to
		}
		if len(moved) > 0 {
			at, err := l.now(ctx, tx, sortedTasks(tasks))
			if err != nil {
				return err
			}
			if err := follow(ctx, tx, ids, at, taskTo); err != nil {
				return err
			}
			move := store.InstanceMove{IDs: instanceIDs(moved), To: to, At: at}
			if report != nil {
				move.Report = report(at)
			}
			if err := tx.MoveInstances(ctx, move); err != nil {
				return err
			}
		}
		if seen != nil {
			seen(instances)
		}
		return nil
	})
}

// lockInstances locks the instances that match and, before them, their tasks.
func lockInstances(
	ctx context.Context, tx store.Tx, filter store.InstanceFilter,
) ([]store.Instance, map[int64]store.Task, error) {
	if filter.ArrayID != 0 {
		if _, err := tx.LockArray(ctx, filter.ArrayID); err != nil {
			return nil, nil, err
		}
	}
	seen, err := tx.Instances(ctx, filter)
	if err != nil || len(seen) == 0 {
		return nil, nil, err
	}
	locked, err := tx.LockTasks(ctx, store.TaskFilter{IDs: tasksOf(seen)})
	if err != nil {
		return nil, nil, err
	}
	tasks := make(map[int64]store.Task, len(locked))
	for _, task := range locked {
		tasks[task.ID] = task
	}
	// By id: an instance that began to match in between belongs to a task that is not locked.
	instances, err := tx.LockInstances(ctx, store.InstanceFilter{IDs: instanceIDs(seen)})
	return instances, tasks, err
}

func sortedTasks(tasks map[int64]store.Task) []store.Task {
	sorted := make([]store.Task, 0, len(tasks))
	for _, task := range tasks {
		sorted = append(sorted, task)
	}
	slices.SortFunc(sorted, func(a, b store.Task) int { return cmp.Compare(a.ID, b.ID) })
	return sorted
}
