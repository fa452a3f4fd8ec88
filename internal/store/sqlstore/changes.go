package sqlstore

import (
	"context"
	"slices"
	"strconv"

	"tasktide/internal/store"
)

// StatusChanges implements [store.Snapshot].
func (v snapshot) StatusChanges(
	ctx context.Context, filter store.ChangeFilter, page store.ChangePage,
) (rows []store.StatusChange, next *store.ChangeKey, err error) {
	from, c := v.fromChanges(filter, page)
	order := " ORDER BY s.changed_at, s.id LIMIT "
	if page.Descending {
		order = " ORDER BY s.changed_at DESC, s.id DESC LIMIT "
	}
	var last *store.ChangeKey // of the rows that are looked at, when there are as many as that
	if len(filter.TaskTemplateIDs)+len(filter.PreviousStatuses)+len(filter.NewStatuses) > 0 {
		if last, err = v.changeAt(ctx, from+c.where()+order, c.args, page.Look); err != nil {
			return nil, nil, err
		}
		if last != nil {
			v.beforeOrAt(&c, *last, page.Descending)
		}
		c.ids(v.session, "s.task_template_id", filter.TaskTemplateIDs)
		oneOf(&c, "s.previous_status", filter.PreviousStatuses)
		oneOf(&c, "s.new_status", filter.NewStatuses)
	}
	// The names are subqueries and not joins, so that no database begins with the tasks, and sorts.
	rows, err = all(ctx, v.session, func(r *store.StatusChange) []any {
		return append(transitionColumns(&r.Transition),
			instant{&r.StoredAt}, orZero(&r.TaskName), orZero(&r.TaskTemplateName))
	}, selectTransition+`, s.stored_at,
			(SELECT t.name FROM task t WHERE t.id = s.task_id),
			(SELECT p.name FROM task_template p WHERE p.id = s.task_template_id)`+
		from+c.where()+order+"?", append(c.args, page.Limit+1)...) // one more shows whether there is another page
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		return rows, new(rows[page.Limit-1].Key()), err
	}
	return rows, last, err
}

// fromChanges is the FROM clause of a filter, and what an index answers of it: the workflow, or the task, and
// the instants from the page's beginning on.
func (v snapshot) fromChanges(filter store.ChangeFilter, page store.ChangePage) (string, conditions) {
	var c conditions
	index, workflow := "idx_task_status_audit_workflow_time", "s.workflow_id"
	if filter.TaskID != 0 {
		// Not by the workflow's index, in which a task's rows are few among many.
		index, workflow = "idx_task_status_audit_task_id", "s.workflow_id + 0"
		c.add("s.task_id = ?", filter.TaskID)
	}
	c.add(workflow+" = ?", filter.WorkflowID)
	c.changedIn(v.session, filter.From, filter.Before)
	if key := page.After; key != nil {
		// The first condition is what every database looks up. The second is about the rows of that instant, and
		// no comparison of pairs: MariaDB would read all of these, of which a run may have as many as tasks.
		if page.Descending {
			c.add("s.changed_at <= ?", v.at(key.At))
			c.add("(s.changed_at < ? OR s.changed_at = ? AND s.id < ?)", v.at(key.At), v.at(key.At), key.ID)
		} else {
			c.add("s.changed_at >= ?", v.at(key.At))
			c.add("(s.changed_at > ? OR s.changed_at = ? AND s.id > ?)", v.at(key.At), v.at(key.At), key.ID)
		}
	}
	c.add("? NOT IN ("+staged+")", filter.WorkflowID) // asked once, not for every row
	return " FROM task_status_audit s" + v.store.dialect.UseIndex(index), c
}

// beforeOrAt demands that rows do not come after a place in the order of the page.
func (v snapshot) beforeOrAt(c *conditions, key store.ChangeKey, descending bool) {
	if descending {
		c.add("s.changed_at >= ?", v.at(key.At))
		c.add("(s.changed_at > ? OR s.id >= ?)", v.at(key.At), key.ID)
		return
	}
	c.add("s.changed_at <= ?", v.at(key.At))
	c.add("(s.changed_at < ? OR s.id <= ?)", v.at(key.At), key.ID)
}

// changeAt returns the place of the n-th row, nil when there are fewer. ordered is a statement from FROM up to
// LIMIT.
func (v snapshot) changeAt(ctx context.Context, ordered string, args []any, n int) (*store.ChangeKey, error) {
	found, err := all(ctx, v.session, func(k *store.ChangeKey) []any { return []any{instant{&k.At}, &k.ID} },
		"SELECT s.changed_at, s.id"+ordered+"1 OFFSET ?", append(slices.Clone(args), n-1)...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// shown selects no more of a text than [store.Shorten] has to know.
func shown(column string) string {
	return "SUBSTR(" + column + ", 1, " + strconv.Itoa(store.MaxShown+1) + ")"
}

// TaskAttempts implements [store.Snapshot].
func (v snapshot) TaskAttempts(ctx context.Context, taskID int64, most int) ([]store.TaskAttempt, error) {
	count, err := one(ctx, v.session, "", number, "SELECT COUNT(*) FROM task_instance i WHERE i.task_id = ?", taskID)
	if err != nil {
		return nil, err
	}
	attempts, err := all(ctx, v.session, func(a *store.TaskAttempt) []any {
		return []any{
			&a.ID, &a.RunID, status(&a.Status), instant{&a.StatusAt}, instant{&a.SubmittedAt},
			&a.Nodename, &a.DistributorID, &a.Wallclock, &a.MaxRSS, &a.CPU, &a.Requested, &a.Queue, &a.Cluster,
		}
	}, `
		SELECT i.id, i.workflow_run_id, i.status, i.status_date, i.submitted_date,
			`+shown("i.nodename")+", "+shown("i.distributor_id")+", "+shown("i.wallclock")+", "+shown("i.maxrss")+", "+shown("i.cpu")+`,
			`+shown("r.requested_resources")+`, q.name, c.name
		FROM task_instance i
		LEFT JOIN task_resources r ON r.id = i.task_resources_id
		LEFT JOIN queue q ON q.id = r.queue_id
		LEFT JOIN cluster c ON c.id = q.cluster_id
		WHERE i.task_id = ? ORDER BY i.id DESC LIMIT ?`, taskID, most)
	slices.Reverse(attempts)
	for i := range attempts {
		attempt := &attempts[i]
		attempt.Number = count - int64(len(attempts)) + int64(i) + 1
		for _, text := range []*string{attempt.Nodename, attempt.DistributorID, attempt.Wallclock, attempt.MaxRSS, attempt.CPU} {
			if text != nil {
				var cut bool
				*text, cut = store.Shorten(*text)
				attempt.Cut = attempt.Cut || cut
			}
		}
		if attempt.Requested != nil {
			if _, cut := store.Shorten(*attempt.Requested); cut {
				attempt.Requested, attempt.Cut = nil, true
			}
		}
	}
	return attempts, err
}

// InstanceErrors implements [store.Snapshot].
func (v snapshot) InstanceErrors(ctx context.Context, instances []int64, most int) ([]store.InstanceError, error) {
	if len(instances) == 0 {
		return nil, nil
	}
	listed, ids := v.among("e.task_instance_id", instances)
	failures, err := all(ctx, v.session, func(e *store.InstanceError) []any {
		return []any{&e.InstanceID, instant{&e.At}, &e.Description}
	}, `
		SELECT e.task_instance_id, e.error_time, `+shown("e.description")+`
		FROM task_instance_error_log e WHERE `+listed+" ORDER BY e.id DESC LIMIT ?", append(ids, most)...)
	slices.Reverse(failures)
	for i := range failures {
		failures[i].Description, failures[i].Cut = store.Shorten(failures[i].Description)
	}
	return failures, err
}
