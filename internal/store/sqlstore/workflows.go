package sqlstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// writer implements [store.Tx]; its methods are beside the tables that they are about.
type writer struct {
	session
	// locked holds the tasks that this transaction has locked, as they are now: nobody else changes them.
	locked map[int64]store.Task
	marked map[mark]bool
	// rowsFrom is the greatest of all workflows' instants from which on rows are kept: as of when the clock was
	// last read, and later than any before that.
	rowsFrom *int64
	written  *Written
}

var _ store.Tx = writer{}

// Now implements [store.Tx]. What [writer.mark] wants to know comes along, at the price of one look into an
// index and not of one more statement.
func (w writer) Now(ctx context.Context) (int64, error) {
	type row struct{ at, rowsFrom int64 }
	found, err := one(ctx, w.session, "", func(r *row) []any { return []any{instant{&r.at}, instant{&r.rowsFrom}} },
		w.store.dialect.Clock+", (SELECT MAX(rows_from) FROM workflow_horizon)")
	if err == nil {
		*w.rowsFrom = found.rowsFrom
	}
	return found.at, err
}

// staged selects the workflows that are being imported, which nobody sees yet.
const staged = "SELECT workflow_id FROM workflow_import WHERE published_at IS NULL"

const selectWorkflow = `
	SELECT w.id, w.tool_version_id, w.dag_id, w.workflow_args_hash, w.task_hash, w.name, w.description,
		w.workflow_args, w.max_concurrently_running, w.status, w.status_date, w.created_date`

func workflowColumns(w *store.Workflow) []any {
	return []any{
		&w.ID, &w.ToolVersionID, &w.DAGID, &w.ArgsHash, &w.TaskHash, &w.Name, &w.Description,
		&w.Args, &w.MaxConcurrentlyRunning, status(&w.Status), instant{&w.StatusAt}, instant{&w.CreatedAt},
	}
}

func missingWorkflow(id int64) string { return fmt.Sprintf("there is no workflow %d", id) }

// LockWorkflow implements [store.Tx].
func (w writer) LockWorkflow(ctx context.Context, id int64) (store.Workflow, error) {
	return w.lockWorkflow(ctx, missingWorkflow(id), "w.id = ?", id)
}

// LockWorkflowByKey implements [store.Tx].
func (w writer) LockWorkflowByKey(ctx context.Context, wanted store.WorkflowKey) (store.Workflow, error) {
	return w.lockWorkflow(ctx, "there is no such workflow",
		"w.tool_version_id = ? AND w.dag_id = ? AND w.workflow_args_hash = ? AND w.task_hash = ?",
		wanted.ToolVersionID, wanted.DAGID, key(wanted.ArgsHash), key(wanted.TaskHash))
}

func (w writer) lockWorkflow(ctx context.Context, missing, where string, args ...any) (store.Workflow, error) {
	return one(ctx, w.session, missing, workflowColumns,
		selectWorkflow+" FROM workflow w WHERE "+where+" AND w.id NOT IN ("+staged+")"+w.store.dialect.ForUpdate, args...)
}

// SaveWorkflow implements [store.Tx].
func (w writer) SaveWorkflow(ctx context.Context, workflow store.Workflow) (int64, error) {
	return w.saveWorkflow(ctx, workflow)
}

func (s session) saveWorkflow(ctx context.Context, workflow store.Workflow) (int64, error) {
	return s.save(ctx, "workflow", workflow.ID, []column{
		{"tool_version_id", workflow.ToolVersionID},
		{"dag_id", workflow.DAGID},
		{"workflow_args_hash", key(workflow.ArgsHash)},
		{"task_hash", key(workflow.TaskHash)},
		{"name", workflow.Name},
		{"description", workflow.Description},
		{"workflow_args", workflow.Args},
		{"max_concurrently_running", workflow.MaxConcurrentlyRunning},
		{"status", workflow.Status.String()},
		{"status_date", s.at(workflow.StatusAt)},
		{"created_date", s.atOrNull(workflow.CreatedAt)},
	})
}

// SetWorkflowAttributes implements [store.Tx].
func (w writer) SetWorkflowAttributes(ctx context.Context, workflowID int64, attributes map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		kind, err := findOrInsert(func() (int64, error) {
			return one(ctx, w.session, "", number, "SELECT id FROM workflow_attribute_type WHERE name = ?", key(name))
		}, func() error {
			_, err := w.exec(ctx, "INSERT INTO workflow_attribute_type (name) VALUES (?)"+w.store.dialect.SkipExisting("name"), key(name))
			return err
		})
		if err != nil {
			return err
		}
		// The workflow is locked, so nobody sees or fills the gap.
		_, err = w.exec(ctx, "DELETE FROM workflow_attribute WHERE workflow_id = ? AND workflow_attribute_type_id = ?",
			workflowID, kind)
		if err != nil {
			return err
		}
		_, err = w.exec(ctx,
			"INSERT INTO workflow_attribute (workflow_id, workflow_attribute_type_id, value) VALUES (?, ?, ?)",
			workflowID, kind, attributes[name])
		if err != nil {
			return err
		}
	}
	return nil
}

const (
	runColumnNames = `r.id, r.workflow_id, r."user", r.jobmon_version, r.status, r.status_date, r.created_date, r.heartbeat_date`
	selectRun      = "SELECT " + runColumnNames + " FROM workflow_run r"
)

func runColumns(r *store.Run) []any {
	return []any{
		&r.ID, &r.WorkflowID, &r.User, &r.JobmonVersion, status(&r.Status),
		instant{&r.StatusAt}, instant{&r.CreatedAt}, instant{&r.HeartbeatAt},
	}
}

// LockRun implements [store.Tx].
func (w writer) LockRun(ctx context.Context, id int64) (store.Run, error) {
	return w.run(ctx, id, w.store.dialect.ForUpdate)
}

func (s session) run(ctx context.Context, id int64, lock string) (store.Run, error) {
	return one(ctx, s, fmt.Sprintf("there is no workflow run %d", id), runColumns, selectRun+" WHERE r.id = ?"+lock, id)
}

// Runs implements [store.Tx].
func (w writer) Runs(ctx context.Context, workflowID int64) ([]store.Run, error) {
	return all(ctx, w.session, runColumns, selectRun+" WHERE r.workflow_id = ? ORDER BY r.id", workflowID)
}

// SaveRun implements [store.Tx].
func (w writer) SaveRun(ctx context.Context, run store.Run) (int64, error) {
	return w.save(ctx, "workflow_run", run.ID, []column{
		{"workflow_id", run.WorkflowID},
		{`"user"`, run.User},
		{"jobmon_version", key(run.JobmonVersion)},
		{"status", run.Status.String()},
		{"status_date", w.at(run.StatusAt)},
		{"created_date", w.at(run.CreatedAt)},
		{"heartbeat_date", w.at(run.HeartbeatAt)},
	})
}

const selectArray = `
	SELECT a.id, a.task_template_version_id, a.workflow_id, a.name, a.max_concurrently_running, a.created_date
	FROM "array" a`

func arrayColumns(a *store.Array) []any {
	return []any{
		&a.ID, &a.TaskTemplateVersionID, &a.WorkflowID, &a.Name, &a.MaxConcurrentlyRunning, instant{&a.CreatedAt},
	}
}

// LockArray implements [store.Tx].
func (w writer) LockArray(ctx context.Context, id int64) (store.Array, error) {
	return one(ctx, w.session, fmt.Sprintf("there is no array %d", id), arrayColumns,
		selectArray+" WHERE a.id = ? AND a.workflow_id NOT IN ("+staged+")"+w.store.dialect.ForUpdate, id)
}

// Arrays implements [store.Tx].
func (w writer) Arrays(ctx context.Context, workflowID int64) ([]store.Array, error) {
	return all(ctx, w.session, arrayColumns, selectArray+" WHERE a.workflow_id = ? ORDER BY a.id", workflowID)
}

// SaveArray implements [store.Tx].
func (w writer) SaveArray(ctx context.Context, array store.Array) (int64, error) {
	return w.saveArray(ctx, array)
}

func (s session) saveArray(ctx context.Context, array store.Array) (int64, error) {
	return s.save(ctx, `"array"`, array.ID, []column{
		{"task_template_version_id", array.TaskTemplateVersionID},
		{"workflow_id", array.WorkflowID},
		{"name", array.Name},
		{"max_concurrently_running", array.MaxConcurrentlyRunning},
		{"created_date", s.at(array.CreatedAt)},
	})
}

// AppendLimit implements [store.Tx].
func (w writer) AppendLimit(ctx context.Context, limit store.Limit) error {
	_, err := w.exec(ctx, `
		INSERT INTO concurrency_limit (workflow_id, array_id, max_concurrently_running, changed_at) VALUES (?, ?, ?, ?)`,
		limit.WorkflowID, orNull(limit.ArrayID), limit.MaxConcurrentlyRunning, w.at(limit.At))
	return err
}

// column is a column and the value to store in it.
type column struct {
	name  string
	value any
}

// save inserts a row when id is 0, and otherwise overwrites the row with that id. It returns the id.
func (s session) save(ctx context.Context, table string, id int64, columns []column) (int64, error) {
	names, values := make([]string, len(columns)), make([]any, len(columns))
	for i, column := range columns {
		names[i], values[i] = column.name, column.value
	}
	if id == 0 {
		return s.insert(ctx, "INSERT INTO "+table+" ("+strings.Join(names, ", ")+") VALUES ("+placeholders(len(names))+")", values...)
	}
	matched, err := s.exec(ctx, "UPDATE "+table+" SET "+strings.Join(names, " = ?, ")+" = ? WHERE id = ?", append(values, id)...)
	if err == nil && matched == 0 {
		err = jobmon.Errorf(jobmon.CodeNotFound, "there is no row %d in table %s", id, table)
	}
	return id, err
}
