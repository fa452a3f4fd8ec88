package sqlstore

import (
	"context"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// The columns of the array are subqueries and not a join, so that a lock is taken on instances only.
const selectInstance = `
	SELECT i.id, i.workflow_run_id, i.array_id, i.task_id, i.task_resources_id, i.array_batch_num, i.array_step_id,
		i.status, i.status_date,
		(SELECT a.workflow_id FROM "array" a WHERE a.id = i.array_id),
		(SELECT a.name FROM "array" a WHERE a.id = i.array_id),
		NOT ` + hasLater + `
	FROM task_instance i`

const hasLater = "EXISTS (SELECT 1 FROM task_instance later WHERE later.task_id = i.task_id AND later.id > i.id)"

func instanceColumns(i *store.Instance) []any {
	return []any{
		&i.ID, &i.RunID, &i.ArrayID, &i.TaskID, &i.TaskResourcesID, &i.BatchNum, &i.StepID,
		status(&i.Status), instant{&i.StatusAt}, &i.WorkflowID, &i.ArrayName, &i.Newest,
	}
}

func (s session) instances(ctx context.Context, filter store.InstanceFilter, end string) ([]store.Instance, error) {
	var c conditions
	c.ids(s, "i.id", filter.IDs)
	c.ids(s, "i.task_id", filter.TaskIDs)
	c.id("i.workflow_run_id", filter.RunID)
	if filter.WorkflowID != 0 {
		c.add(`i.array_id IN (SELECT a.id FROM "array" a WHERE a.workflow_id = ?)`, filter.WorkflowID)
	}
	c.id("i.array_id", filter.ArrayID)
	c.id("i.array_batch_num", filter.BatchNum)
	oneOf(&c, "i.status", filter.Statuses)
	if filter.NewestOnly {
		c.add("NOT " + hasLater)
	}
	return all(ctx, s, instanceColumns, selectInstance+c.where()+" ORDER BY i.id"+end, c.args...)
}

// Instances implements [store.Tx].
func (w writer) Instances(ctx context.Context, filter store.InstanceFilter) ([]store.Instance, error) {
	return w.instances(ctx, filter, "")
}

// LockInstances implements [store.Tx].
func (w writer) LockInstances(ctx context.Context, filter store.InstanceFilter) ([]store.Instance, error) {
	return w.instances(ctx, filter, w.store.dialect.ForUpdate)
}

// QueueInstances implements [store.Tx].
func (w writer) QueueInstances(ctx context.Context, batch store.InstanceBatch) error {
	if len(batch.TaskIDs) == 0 {
		return nil
	}
	batchNum, err := one(ctx, w.session, "", number,
		"SELECT COALESCE(MAX(array_batch_num), 0) + 1 FROM task_instance WHERE array_id = ?", batch.ArrayID)
	if err != nil {
		return err
	}
	step := int64(-1)
	return insertRows(ctx, w.session, `
		INSERT INTO task_instance (workflow_run_id, array_id, task_id, task_resources_id, array_batch_num, array_step_id,
			status, status_date)`, "", batch.TaskIDs, 8, func(taskID int64) []any {
		step++
		return []any{
			batch.RunID, batch.ArrayID, taskID, batch.TaskResourcesID, batchNum, step,
			jobmon.InstanceQueued.String(), w.at(batch.At),
		}
	})
}

// MoveInstances implements [store.Tx].
func (w writer) MoveInstances(ctx context.Context, move store.InstanceMove) error {
	if len(move.IDs) == 0 {
		return nil
	}
	set, args := "status = ?, status_date = ?", []any{move.To.String(), w.at(move.At)}
	report := move.Report
	for _, text := range []struct {
		column string
		value  *string
	}{
		{"distributor_id", report.DistributorID},
		{"nodename", report.Nodename},
		{"stdout", report.Stdout},
		{"stderr", report.Stderr},
		{"stdout_log", report.StdoutLog},
		{"stderr_log", report.StderrLog},
		{"wallclock", report.Wallclock},
		{"maxrss", report.MaxRSS},
		{"cpu", report.CPU},
		{"usage_str", report.Usage},
	} {
		if text.value != nil {
			set += ", " + text.column + " = ?"
			args = append(args, *text.value)
		}
	}
	if report.ProcessGroupID != nil {
		set += ", process_group_id = ?"
		args = append(args, *report.ProcessGroupID)
	}
	if report.SubmittedAt != nil {
		set += ", submitted_date = ?"
		args = append(args, w.at(*report.SubmittedAt))
	}
	if report.ReportBy != nil {
		set += ", report_by_date = ?"
		args = append(args, w.at(*report.ReportBy))
	}
	listed, ids := w.among("id", move.IDs)
	_, err := w.exec(ctx, "UPDATE task_instance SET "+set+" WHERE "+listed, append(args, ids...)...)
	return err
}

// AppendInstanceErrors implements [store.Tx].
func (w writer) AppendInstanceErrors(ctx context.Context, instances []int64, description string, at int64) error {
	if len(instances) == 0 {
		return nil
	}
	listed, ids := w.among("i.id", instances)
	_, err := w.exec(ctx, `
		INSERT INTO task_instance_error_log (task_instance_id, error_time, description)
		SELECT i.id, ?, ? FROM task_instance i WHERE `+listed+" ORDER BY i.id",
		append([]any{w.at(at), description}, ids...)...)
	return err
}
