package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// This file is the only place that writes task.status, and a test says so. Whatever writes a status
// writes the audit row beside it, in the same transaction.

const insertAudit = `
	INSERT INTO task_status_audit (
		task_id, workflow_id, task_template_id, previous_status, new_status, changed_at, previous_at, stored_at, retry)`

// InsertTasks implements [store.Tx].
func (w writer) InsertTasks(ctx context.Context, tasks []store.Task, at int64) ([]int64, error) {
	if len(tasks) == 0 {
		return nil, nil
	}
	registering := make([]store.Task, len(tasks))
	for i, task := range tasks {
		task.Status, task.StatusAt, task.NumAttempts = jobmon.TaskRegistering, at, 0
		registering[i] = task
	}
	ids, err := w.insertTasks(ctx, registering)
	if err != nil {
		return nil, err
	}
	marks := map[mark]bool{}
	for _, task := range tasks {
		marks[mark{task.WorkflowID, at / minute}] = true
	}
	if err := w.mark(ctx, marks); err != nil {
		return nil, err
	}
	listed, parameters := w.among("t.id", ids)
	w.written.Transitions += int64(len(ids))
	rows, err := w.exec(ctx, insertAudit+`
		SELECT t.id, t.workflow_id, t.task_template_id, NULL, t.status, t.status_date, NULL, ?, 0 FROM task t
		WHERE `+listed+" ORDER BY t.id", append([]any{w.at(at)}, parameters...)...)
	w.written.AuditRows += rows
	return ids, err
}

// MoveTasks implements [store.Tx].
func (w writer) MoveTasks(ctx context.Context, move store.TaskMove) error {
	tasks, err := w.lockedTasks(ctx, move.IDs)
	if err != nil || len(tasks) == 0 {
		return err
	}
	if err := w.auditMove(ctx, move, tasks); err != nil {
		return err
	}
	to, at := move.To.String(), w.at(move.At)
	// The status comes last: MySQL takes the columns in their order, and the others ask what it was.
	set := "status_date = CASE WHEN status <> ? THEN " + w.store.dialect.Greatest + "(?, status_date) ELSE status_date END"
	args := []any{to, at}
	switch move.Attempts {
	case store.KeepAttempts:
	case store.AddAttempt:
		set += ", num_attempts = num_attempts + 1"
	case store.ForgetAttempts:
		set += ", num_attempts = 0"
	}
	if move.TaskResourcesID != 0 {
		set += ", task_resources_id = ?"
		args = append(args, move.TaskResourcesID)
	}
	listed, ids := w.among("id", idsOf(tasks))
	updated, err := w.exec(ctx, "UPDATE task SET "+set+", status = ? WHERE "+listed, slices.Concat(args, []any{to}, ids)...)
	w.written.Transitions += updated
	for _, task := range tasks {
		task.NumAttempts = move.Attempts.Of(task.NumAttempts)
		if task.Status == move.To {
			w.written.Transitions--
		} else {
			task.Status, task.StatusAt = move.To, max(move.At, task.StatusAt)
		}
		w.locked[task.ID] = task
	}
	return err
}

// fewTasks is up to how many tasks a move's audit rows are written from the tasks that were locked. It
// takes the database half as long as reading them once more, which is all that a single move has to spare;
// for many, it would be a long statement to send.
const fewTasks = 100

// auditMove appends a row for each of the locked tasks that the move will change, and marks their minutes.
func (w writer) auditMove(ctx context.Context, move store.TaskMove, tasks []store.Task) error {
	tasks = slices.DeleteFunc(slices.Clone(tasks), func(t store.Task) bool { return t.Status == move.To })
	if len(tasks) == 0 {
		return nil
	}
	marks := map[mark]bool{}
	for _, task := range tasks {
		marks[mark{task.WorkflowID, max(move.At, task.StatusAt) / minute}] = true
	}
	if err := w.mark(ctx, marks); err != nil {
		return err
	}
	if len(tasks) <= fewTasks {
		rows, err := insertCounted(ctx, w.session, insertAudit, "", tasks, 9, func(t store.Task) []any {
			return []any{
				t.ID, t.WorkflowID, t.TaskTemplateID, t.Status.String(), move.To.String(),
				w.at(max(move.At, t.StatusAt)), w.at(t.StatusAt), w.at(move.At), move.Retry(t.NumAttempts),
			}
		})
		w.written.AuditRows += rows
		return err
	}
	to, at := move.To.String(), w.at(move.At)
	listed, ids := w.among("t.id", idsOf(tasks))
	rows, err := w.exec(ctx, insertAudit+`
		SELECT t.id, t.workflow_id, t.task_template_id, t.status, ?,
			`+w.store.dialect.Greatest+`(?, t.status_date), t.status_date, ?, `+retryOf(move)+` FROM task t
		WHERE `+listed+" ORDER BY t.id", append([]any{to, at, at}, ids...)...)
	w.written.AuditRows += rows
	return err
}

// retryOf is [store.TaskMove.Retry] for a task t.
func retryOf(move store.TaskMove) string {
	if move.To.InAttempt() {
		switch move.Attempts {
		case store.AddAttempt:
			return "t.num_attempts"
		case store.ForgetAttempts:
			return "0"
		case store.KeepAttempts:
		}
	}
	return "CASE WHEN t.num_attempts > 1 THEN t.num_attempts - 1 ELSE 0 END"
}

// lockedTasks returns the tasks with these ids by ascending id, each once, and locks those that are not
// locked yet.
func (w writer) lockedTasks(ctx context.Context, ids []int64) ([]store.Task, error) {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	missing := slices.DeleteFunc(slices.Clone(ids), func(id int64) bool {
		_, locked := w.locked[id]
		return locked
	})
	if len(missing) > 0 {
		if _, err := w.LockTasks(ctx, store.TaskFilter{IDs: missing}); err != nil {
			return nil, err
		}
	}
	tasks := make([]store.Task, 0, len(ids))
	for _, id := range ids {
		if task, exists := w.locked[id]; exists {
			tasks = append(tasks, task)
		}
	}
	return tasks, nil
}

func idsOf(tasks []store.Task) []int64 {
	ids := make([]int64, len(tasks))
	for i, task := range tasks {
		ids[i] = task.ID
	}
	return ids
}

// importTasks inserts tasks of one workflow as their histories leave them, with an audit row for every
// move. stored is the instant at which that happens.
func (s session) importTasks(
	ctx context.Context, tasks []store.Task, histories []jobmon.TaskHistory, templates map[string]int64, stored int64,
) error {
	ids, err := s.insertTasks(ctx, tasks)
	if err != nil {
		return err
	}
	var rows []jobmon.Transition
	for i, history := range histories {
		row := jobmon.Transition{
			TaskID: ids[i], WorkflowID: tasks[i].WorkflowID, TaskTemplateID: templates[history.Template],
		}
		begun := max(history.Attempts-history.Queued(), 0)
		for _, move := range history.Moves {
			row.From, row.PreviousAt = row.To, row.At
			row.To, row.At = move.To, move.At
			if move.To == jobmon.TaskQueued {
				begun++
			}
			row.Retry = max(begun-1, 0)
			rows = append(rows, row)
		}
	}
	marks := map[mark]bool{}
	for _, row := range rows {
		marks[mark{row.WorkflowID, row.At / minute}] = true
	}
	if err := s.insertMarks(ctx, slices.Collect(maps.Keys(marks))); err != nil {
		return err
	}
	return insertRows(ctx, s, insertAudit, "", rows, 9, func(t jobmon.Transition) []any {
		var from, since any
		if t.From != 0 {
			from, since = t.From.String(), s.at(t.PreviousAt)
		}
		return []any{t.TaskID, t.WorkflowID, t.TaskTemplateID, from, t.To.String(), s.at(t.At), since, s.at(stored), t.Retry}
	})
}

// insertTasks inserts tasks and returns their ids in the order given.
func (s session) insertTasks(ctx context.Context, tasks []store.Task) ([]int64, error) {
	type natural struct {
		workflowID, nodeID int64
		argsHash           string
	}
	position := make(map[natural]int, len(tasks))
	for i, task := range tasks {
		position[natural{task.WorkflowID, task.NodeID, task.ArgsHash}] = i
	}
	last, err := one(ctx, s, "", number, "SELECT COALESCE(MAX(id), 0) FROM task")
	if err != nil {
		return nil, err
	}
	templates, err := s.arrayTemplates(ctx, tasks)
	if err != nil {
		return nil, err
	}
	err = insertRows(ctx, s, `
		INSERT INTO task (workflow_id, node_id, task_args_hash, array_id, task_template_id, name, command, task_resources_id,
			num_attempts, max_attempts, resource_scales, fallback_queues, status, status_date)`, "",
		tasks, 14, func(t store.Task) []any {
			return []any{
				t.WorkflowID, t.NodeID, key(t.ArgsHash), t.ArrayID, templates[t.ArrayID], t.Name, t.Command, orNull(t.TaskResourcesID),
				t.NumAttempts, t.MaxAttempts, t.ResourceScales, t.FallbackQueues, t.Status.String(), s.at(t.StatusAt),
			}
		})
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(tasks))
	found := 0
	for task, err := range each(ctx, s, func(t *store.Task) []any {
		return []any{&t.ID, &t.WorkflowID, &t.NodeID, &t.ArgsHash}
	}, "SELECT id, workflow_id, node_id, task_args_hash FROM task WHERE id > ?", last) {
		if err != nil {
			return nil, err
		}
		// What others insert meanwhile may show up too.
		if i, ours := position[natural{task.WorkflowID, task.NodeID, task.ArgsHash}]; ours {
			ids[i] = task.ID
			found++
		}
	}
	if found != len(tasks) {
		return nil, s.fail(ctx, fmt.Errorf("inserted %d tasks and found %d", len(tasks), found))
	}
	return ids, nil
}

// arrayTemplates returns the template of each array that the tasks are in. An array that does not exist has
// none: the tasks cannot be stored then.
func (s session) arrayTemplates(ctx context.Context, tasks []store.Task) (map[int64]int64, error) {
	templates := map[int64]int64{}
	for _, task := range tasks {
		templates[task.ArrayID] = 0
	}
	listed, ids := s.among("a.id", slices.Sorted(maps.Keys(templates)))
	type row struct{ arrayID, templateID int64 }
	for found, err := range each(ctx, s, func(r *row) []any { return []any{&r.arrayID, &r.templateID} }, `
		SELECT a.id, v.task_template_id FROM "array" a
		JOIN task_template_version v ON v.id = a.task_template_version_id
		WHERE `+listed, ids...) {
		if err != nil {
			return nil, err
		}
		templates[found.arrayID] = found.templateID
	}
	return templates, nil
}
