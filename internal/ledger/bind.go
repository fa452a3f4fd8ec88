package ledger

import (
	"context"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// BindWorkflow registers a workflow in REGISTERING, or finds the one with the same key and overwrites
// its name, description, limit and attributes. A change of the limit is recorded. created tells which
// it was. ID, Status and instants of the argument are ignored.
func (l *Ledger) BindWorkflow(
	ctx context.Context, wanted store.Workflow, attributes map[string]string,
) (workflow store.Workflow, created bool, err error) {
	if err := checkLimit(wanted.MaxConcurrentlyRunning); err != nil {
		return store.Workflow{}, false, err
	}
	bind := func(ctx context.Context, tx store.Tx) error {
		workflow, err = tx.LockWorkflowByKey(ctx, wanted.WorkflowKey)
		created = jobmon.ErrorCode(err) == jobmon.CodeNotFound
		if err != nil && !created {
			return err
		}
		at, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		limited := created || workflow.MaxConcurrentlyRunning != wanted.MaxConcurrentlyRunning
		if created {
			workflow = store.Workflow{WorkflowKey: wanted.WorkflowKey, Status: jobmon.WorkflowRegistering, StatusAt: at}
		}
		workflow.Name, workflow.Description, workflow.Args = wanted.Name, wanted.Description, wanted.Args
		workflow.MaxConcurrentlyRunning = wanted.MaxConcurrentlyRunning
		if workflow.ID, err = tx.SaveWorkflow(ctx, workflow); err != nil {
			return err
		}
		if limited {
			limit := store.Limit{WorkflowID: workflow.ID, MaxConcurrentlyRunning: workflow.MaxConcurrentlyRunning, At: at}
			if err := tx.AppendLimit(ctx, limit); err != nil {
				return err
			}
		}
		return tx.SetWorkflowAttributes(ctx, workflow.ID, attributes)
	}
	err = l.db.Update(ctx, bind)
	if jobmon.ErrorCode(err) == jobmon.CodeConflict {
		// Another client created it between our look and our insert; now it is there to be found.
		err = l.db.Update(ctx, bind)
	}
	return workflow, created, err
}

// BindArray registers the array of a template version in a workflow, or finds it and overwrites its
// limit. A change of the limit is recorded. It returns the array's id. CodeNotFound.
func (l *Ledger) BindArray(ctx context.Context, wanted store.Array) (int64, error) {
	if err := checkLimit(wanted.MaxConcurrentlyRunning); err != nil {
		return 0, err
	}
	var id int64
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.LockWorkflow(ctx, wanted.WorkflowID); err != nil {
			return err
		}
		arrays, err := tx.Arrays(ctx, wanted.WorkflowID)
		if err != nil {
			return err
		}
		for _, array := range arrays {
			if array.TaskTemplateVersionID == wanted.TaskTemplateVersionID {
				id = array.ID
				return setArrayLimit(ctx, tx, array.ID, wanted.MaxConcurrentlyRunning)
			}
		}
		at, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		array := wanted
		array.ID, array.CreatedAt = 0, at
		if id, err = tx.SaveArray(ctx, array); err != nil {
			return err
		}
		return tx.AppendLimit(ctx, store.Limit{
			WorkflowID: array.WorkflowID, ArrayID: id, MaxConcurrentlyRunning: array.MaxConcurrentlyRunning, At: at,
		})
	})
	return id, err
}

// SetWorkflowLimit changes how many of a workflow's tasks may be active at once, and records it.
// CodeInvalid for a limit that is not between 0 and [jobmon.NoLimit]; CodeNotFound.
func (l *Ledger) SetWorkflowLimit(ctx context.Context, workflowID, limit int64) error {
	if err := checkLimit(limit); err != nil {
		return err
	}
	return l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		workflow, err := tx.LockWorkflow(ctx, workflowID)
		if err != nil || workflow.MaxConcurrentlyRunning == limit {
			return err
		}
		at, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		workflow.MaxConcurrentlyRunning = limit
		if _, err := tx.SaveWorkflow(ctx, workflow); err != nil {
			return err
		}
		return tx.AppendLimit(ctx, store.Limit{WorkflowID: workflowID, MaxConcurrentlyRunning: limit, At: at})
	})
}

// SetArrayLimit changes how many of an array's tasks may be active at once, and records it.
// CodeInvalid for a limit that is not between 0 and [jobmon.NoLimit]; CodeNotFound.
func (l *Ledger) SetArrayLimit(ctx context.Context, arrayID, limit int64) error {
	if err := checkLimit(limit); err != nil {
		return err
	}
	return l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		return setArrayLimit(ctx, tx, arrayID, limit)
	})
}

func setArrayLimit(ctx context.Context, tx store.Tx, arrayID, limit int64) error {
	array, err := tx.LockArray(ctx, arrayID)
	if err != nil || array.MaxConcurrentlyRunning == limit {
		return err
	}
	at, err := tx.Now(ctx)
	if err != nil {
		return err
	}
	array.MaxConcurrentlyRunning = limit
	if _, err := tx.SaveArray(ctx, array); err != nil {
		return err
	}
	return tx.AppendLimit(ctx, store.Limit{
		WorkflowID: array.WorkflowID, ArrayID: array.ID, MaxConcurrentlyRunning: limit, At: at,
	})
}

func checkLimit(limit int64) error {
	if limit < 0 || limit > jobmon.NoLimit {
		return jobmon.FieldErrorf("max_concurrently_running",
			"max_concurrently_running must be between 0 and %d (no limit)", jobmon.NoLimit)
	}
	return nil
}

// TaskBinding is a task as its workflow's author describes it.
type TaskBinding struct {
	NodeID          int64
	ArrayID         int64
	TaskResourcesID int64
	ArgsHash        string
	Name            string
	Command         string
	MaxAttempts     int
	ResetIfRunning  bool
	ResourceScales  string // JSON text
	FallbackQueues  string // JSON text
}

// BoundTask is what became of a [TaskBinding].
type BoundTask struct {
	ID     int64
	Status jobmon.TaskStatus
}

type taskKey struct {
	nodeID   int64
	argsHash string
}

// BindTasks adds tasks to a workflow in REGISTERING. One that exists, by node and arguments, is taken
// back to REGISTERING by the reset rule, with the name, command and max_attempts of the binding, and
// otherwise left alone. The answers are in the order of the bindings. last says that the workflow has
// all its tasks, from when on it can be run. CodeNotFound; CodeInvalid for an array of another
// workflow.
func (l *Ledger) BindTasks(ctx context.Context, workflowID int64, bindings []TaskBinding, last bool) ([]BoundTask, error) {
	var bound []BoundTask
	err := l.db.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		workflow, err := tx.LockWorkflow(ctx, workflowID)
		if err != nil {
			return err
		}
		if err := checkArrays(ctx, tx, workflowID, bindings); err != nil {
			return err
		}
		known, err := lockBound(ctx, tx, workflowID, bindings)
		if err != nil {
			return err
		}
		tasks := make([]store.Task, 0, len(known))
		for _, task := range known {
			tasks = append(tasks, task)
		}
		at, err := l.now(ctx, tx, tasks)
		if err != nil {
			return err
		}
		if err := rebind(ctx, tx, bindings, known, at); err != nil {
			return err
		}
		if err := addTasks(ctx, tx, workflowID, bindings, known, at); err != nil {
			return err
		}
		bound = make([]BoundTask, len(bindings))
		for i, binding := range bindings {
			task := known[taskKey{binding.NodeID, binding.ArgsHash}]
			bound[i] = BoundTask{ID: task.ID, Status: task.Status}
		}
		if last && workflow.CreatedAt == 0 {
			workflow.CreatedAt = at
			_, err = tx.SaveWorkflow(ctx, workflow)
		}
		return err
	})
	return bound, err
}

func checkArrays(ctx context.Context, tx store.Tx, workflowID int64, bindings []TaskBinding) error {
	arrays, err := tx.Arrays(ctx, workflowID)
	if err != nil {
		return err
	}
	own := make(map[int64]bool, len(arrays))
	for _, array := range arrays {
		own[array.ID] = true
	}
	for _, binding := range bindings {
		if !own[binding.ArrayID] {
			return jobmon.FieldErrorf("tasks", "array %d of task %q is not an array of workflow %d",
				binding.ArrayID, binding.Name, workflowID)
		}
	}
	return nil
}

// lockBound locks those of the bindings' tasks that exist.
func lockBound(
	ctx context.Context, tx store.Tx, workflowID int64, bindings []TaskBinding,
) (map[taskKey]store.Task, error) {
	known := make(map[taskKey]store.Task, len(bindings))
	if len(bindings) == 0 {
		return known, nil
	}
	nodes := make([]int64, len(bindings))
	wanted := make(map[taskKey]bool, len(bindings))
	for i, binding := range bindings {
		nodes[i] = binding.NodeID
		wanted[taskKey{binding.NodeID, binding.ArgsHash}] = true
	}
	tasks, err := tx.LockTasks(ctx, store.TaskFilter{WorkflowID: workflowID, NodeIDs: nodes})
	for _, task := range tasks {
		if key := (taskKey{task.NodeID, task.ArgsHash}); wanted[key] {
			known[key] = task
		}
	}
	return known, err
}

// rebind applies the reset rule to the tasks that exist.
func rebind(ctx context.Context, tx store.Tx, bindings []TaskBinding, known map[taskKey]store.Task, at int64) error {
	var resets []int64
	for _, binding := range bindings {
		key := taskKey{binding.NodeID, binding.ArgsHash}
		task, exists := known[key]
		if !exists || !task.Status.Resets(binding.ResetIfRunning) {
			continue
		}
		described := task
		described.Name, described.Command, described.MaxAttempts = binding.Name, binding.Command, binding.MaxAttempts
		if described != task {
			if err := tx.DescribeTask(ctx, described); err != nil {
				return err
			}
		}
		resets = append(resets, task.ID)
		described.Status = jobmon.TaskRegistering
		known[key] = described
	}
	return reset(ctx, tx, resets, at)
}

// addTasks inserts the tasks that do not exist and adds them to those known.
func addTasks(
	ctx context.Context, tx store.Tx, workflowID int64, bindings []TaskBinding, known map[taskKey]store.Task, at int64,
) error {
	var added []store.Task
	for _, binding := range bindings {
		key := taskKey{binding.NodeID, binding.ArgsHash}
		if _, exists := known[key]; exists {
			continue
		}
		task := store.Task{
			WorkflowID: workflowID, NodeID: binding.NodeID, ArrayID: binding.ArrayID,
			TaskResourcesID: binding.TaskResourcesID, ArgsHash: binding.ArgsHash, Name: binding.Name,
			Command: binding.Command, ResourceScales: binding.ResourceScales, FallbackQueues: binding.FallbackQueues,
			MaxAttempts: binding.MaxAttempts, Status: jobmon.TaskRegistering, StatusAt: at,
		}
		known[key] = task
		added = append(added, task)
	}
	if len(added) == 0 {
		return nil
	}
	ids, err := tx.InsertTasks(ctx, added, at)
	if err != nil {
		return err
	}
	for i, task := range added {
		task.ID = ids[i]
		known[taskKey{task.NodeID, task.ArgsHash}] = task
	}
	return nil
}
