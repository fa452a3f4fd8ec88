package sqlstore

import (
	"context"
	"iter"
	"slices"

	"tasktide/internal/store"
)

const selectTask = `
	SELECT t.id, t.workflow_id, t.node_id, t.array_id, t.task_template_id, t.task_resources_id, t.task_args_hash,
		t.name, t.command, t.resource_scales, t.fallback_queues, t.num_attempts, t.max_attempts, t.status, t.status_date
	FROM task t`

func taskColumns(t *store.Task) []any {
	return []any{
		&t.ID, &t.WorkflowID, &t.NodeID, &t.ArrayID, &t.TaskTemplateID, orZero(&t.TaskResourcesID), &t.ArgsHash,
		&t.Name, &t.Command, &t.ResourceScales, &t.FallbackQueues, &t.NumAttempts, &t.MaxAttempts, status(&t.Status), instant{&t.StatusAt},
	}
}

// eachTask yields the tasks that match, by ascending id. end ends the statement.
func (s session) eachTask(ctx context.Context, filter store.TaskFilter, end string) iter.Seq2[store.Task, error] {
	var c conditions
	c.ids(s, "t.id", filter.IDs)
	workflow := "t.workflow_id"
	if filter.UpToID > 0 {
		workflow += " + 0" // not by its index, which would find all of its tasks each time
	}
	c.id(workflow, filter.WorkflowID)
	c.ids(s, "t.node_id", filter.NodeIDs)
	oneOf(&c, "t.status", filter.Statuses)
	if filter.AfterID > 0 {
		c.add("t.id > ?", filter.AfterID)
	}
	if filter.UpToID > 0 {
		c.add("t.id <= ?", filter.UpToID)
	}
	if len(c.clauses) > 0 {
		c.add("t.workflow_id NOT IN (" + staged + ")")
	}
	return each(ctx, s, taskColumns, selectTask+c.where()+" ORDER BY t.id"+end, c.args...)
}

// LockTasks implements [store.Tx].
func (w writer) LockTasks(ctx context.Context, filter store.TaskFilter) ([]store.Task, error) {
	tasks, err := gather(w.eachTask(ctx, filter, w.store.dialect.ForUpdate))
	for _, task := range tasks {
		w.locked[task.ID] = task
	}
	return tasks, err
}

// DescribeTask implements [store.Tx].
func (w writer) DescribeTask(ctx context.Context, task store.Task) error {
	_, err := w.exec(ctx, "UPDATE task SET name = ?, command = ?, max_attempts = ? WHERE id = ?",
		task.Name, task.Command, task.MaxAttempts, task.ID)
	return err
}

// Neighbours implements [store.Tx].
func (w writer) Neighbours(
	ctx context.Context, workflowID int64, tasks []int64, upstream bool,
) ([]store.Task, error) {
	column := "e.downstream_node_ids"
	if upstream {
		column = "e.upstream_node_ids"
	}
	if len(tasks) == 0 {
		return nil, nil
	}
	listed, ids := w.among("t.id", tasks)
	var nodes []int64
	for text, err := range each(ctx, w.session, func(text *string) []any { return []any{orZero(text)} }, `
		SELECT `+column+` FROM task t
		JOIN workflow w ON w.id = t.workflow_id
		JOIN edge e ON e.dag_id = w.dag_id AND e.node_id = t.node_id
		WHERE t.workflow_id = ? AND `+listed, append([]any{workflowID}, ids...)...) {
		if err != nil {
			return nil, err
		}
		ids, err := parseNodeList(text)
		if err != nil {
			return nil, w.fail(ctx, err)
		}
		nodes = append(nodes, ids...)
	}
	if len(nodes) == 0 {
		return nil, nil
	}
	slices.Sort(nodes)
	return gather(w.eachTask(ctx, store.TaskFilter{WorkflowID: workflowID, NodeIDs: slices.Compact(nodes)}, ""))
}
