package sqlstore

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// snapshot implements [store.Snapshot].
type snapshot struct{ session }

var _ store.Snapshot = snapshot{}

// Now implements [store.Snapshot].
func (v snapshot) Now(ctx context.Context) (int64, error) { return v.now(ctx) }

// Workflow implements [store.Snapshot].
func (v snapshot) Workflow(ctx context.Context, id int64) (store.WorkflowInfo, error) {
	var c conditions
	c.add("w.id = ?", id)
	found, err := v.workflows(ctx, c, 1)
	if err != nil {
		return store.WorkflowInfo{}, err
	}
	if len(found) == 0 {
		return store.WorkflowInfo{}, jobmon.Errorf(jobmon.CodeNotFound, "%s", missingWorkflow(id))
	}
	return found[0], nil
}

// Workflows implements [store.Snapshot].
func (v snapshot) Workflows(ctx context.Context, filter store.WorkflowFilter) ([]store.WorkflowInfo, error) {
	var c conditions
	if filter.Search != "" {
		id, err := strconv.ParseInt(filter.Search, 10, 64)
		if err != nil {
			id = 0
		}
		lower := v.store.dialect.Lower
		c.add("(w.id = ? OR "+lower("w.name")+" LIKE "+lower("?")+" ESCAPE '!')", id, "%"+escapeLike.Replace(filter.Search)+"%")
	}
	if filter.Status != 0 {
		c.add("w.status = ?", filter.Status.String())
	}
	if filter.User != "" {
		c.add(`EXISTS (SELECT 1 FROM workflow_run r WHERE r.workflow_id = w.id AND r."user" = ?)`, filter.User)
	}
	if filter.BeforeID != 0 {
		c.add("w.id < ?", filter.BeforeID)
	}
	return v.workflows(ctx, c, filter.Limit)
}

// The instants of a workflow's first and last transition: each is one look into an index, where MIN and
// MAX of both together would read all of it. The horizon keeps those that are removed.
const (
	firstTransition = "COALESCE((SELECT h.first_at FROM workflow_horizon h WHERE h.workflow_id = w.id), " +
		"(SELECT s.changed_at FROM task_status_audit s WHERE s.workflow_id = w.id ORDER BY s.changed_at LIMIT 1))"
	lastTransition = "COALESCE((SELECT s.changed_at FROM task_status_audit s WHERE s.workflow_id = w.id " +
		"ORDER BY s.changed_at DESC LIMIT 1), (SELECT h.last_at FROM workflow_horizon h WHERE h.workflow_id = w.id))"
)

// activeStatuses lists the statuses in which a task is active. They are no parameters, so that a database that
// plans a statement once knows how few tasks are in them, and looks into the index.
var activeStatuses = lettersOf(jobmon.TaskStatuses(), jobmon.TaskStatus.Active)

// lettersOf lists those statuses for a statement of which something is true.
func lettersOf[S fmt.Stringer](statuses []S, is func(S) bool) string {
	var letters []string
	for _, status := range statuses {
		if is(status) {
			letters = append(letters, "'"+status.String()+"'")
		}
	}
	return strings.Join(letters, ", ")
}

var escapeLike = strings.NewReplacer("!", "!!", "%", "!%", "_", "!_")

func (v snapshot) workflows(ctx context.Context, c conditions, limit int) ([]store.WorkflowInfo, error) {
	c.add("w.id NOT IN (" + staged + ")")
	query := selectWorkflow + `, tool.name,
		(SELECT r."user" FROM workflow_run r WHERE r.workflow_id = w.id ORDER BY r.id DESC LIMIT 1),
		` + firstTransition + `,
		` + lastTransition + `,
		(SELECT i.published_at FROM workflow_import i WHERE i.workflow_id = w.id),
		EXISTS (SELECT 1 FROM task t WHERE t.workflow_id = w.id AND t.status IN (` + activeStatuses + `))
	FROM workflow w
	JOIN tool_version ON tool_version.id = w.tool_version_id
	JOIN tool ON tool.id = tool_version.tool_id` + c.where() + " ORDER BY w.id DESC"
	args := c.args
	if limit != 0 {
		query += " LIMIT ?"
		args = append(args, limit)
	}
	return all(ctx, v.session, func(w *store.WorkflowInfo) []any {
		return append(workflowColumns(&w.Workflow), &w.Tool, orZero(&w.User),
			instant{&w.FirstAt}, instant{&w.LastAt}, instant{&w.ImportedAt}, &w.Active)
	}, query, args...)
}

// Run implements [store.Snapshot].
func (v snapshot) Run(ctx context.Context, id int64) (store.Run, error) { return v.run(ctx, id, "") }

// TemplateNames implements [store.Snapshot]. It asks for the first task of each array, a look into
// an index: in place of EXISTS, MariaDB reads every task, and for any task at all, PostgreSQL may.
func (v snapshot) TemplateNames(ctx context.Context, workflowID int64) ([]store.TemplateName, error) {
	return all(ctx, v.session, func(t *store.TemplateName) []any { return []any{&t.ID, &t.Name} }, `
		SELECT DISTINCT p.id, p.name FROM "array" a
		JOIN task_template_version v ON v.id = a.task_template_version_id
		JOIN task_template p ON p.id = v.task_template_id
		WHERE a.workflow_id = ? AND a.workflow_id NOT IN (`+staged+`)
			AND (SELECT t.id FROM task t WHERE t.array_id = a.id ORDER BY t.id LIMIT 1) IS NOT NULL
		ORDER BY p.name, p.id`, workflowID)
}

// fromTransitions is the FROM and the WHERE clause of a filter.
func (v snapshot) fromTransitions(filter store.TransitionFilter) (string, []any) {
	var c conditions
	c.add("s.workflow_id = ?", filter.WorkflowID)
	c.changedIn(v.session, filter.From, filter.Before)
	if len(filter.Statuses) > 0 {
		var left, entered conditions
		oneOf(&left, "s.previous_status", filter.Statuses)
		oneOf(&entered, "s.new_status", filter.Statuses)
		c.add("("+left.clauses[0]+" OR "+entered.clauses[0]+")", slices.Concat(left.args, entered.args)...)
	}
	c.add("? NOT IN ("+staged+")", filter.WorkflowID) // asked once, not for every row
	return " FROM task_status_audit s" + v.store.dialect.UseIndex("idx_task_status_audit_workflow_time") + c.where(), c.args
}

// changedIn demands that a row s of the audit lies in [from, before).
func (c *conditions) changedIn(s session, from, before int64) {
	// No row is outside these bounds, and no database could be asked about such instants.
	if from > store.MaxInstant || before <= 0 {
		c.add("1 = 0")
	}
	if from > 0 && from <= store.MaxInstant {
		c.add("s.changed_at >= ?", s.at(from))
	}
	if before > 0 && before <= store.MaxInstant {
		c.add("s.changed_at < ?", s.at(before))
	}
}

// selectTransition selects the columns of a row s of the audit, for transitionColumns.
const selectTransition = `
	SELECT s.id, s.task_id, s.workflow_id, s.task_template_id, s.previous_status, s.new_status, s.changed_at, s.previous_at, s.retry`

func transitionColumns(t *jobmon.Transition) []any {
	return []any{
		&t.ID, &t.TaskID, &t.WorkflowID, &t.TaskTemplateID, status(&t.From), status(&t.To),
		instant{&t.At}, instant{&t.PreviousAt}, &t.Retry,
	}
}

// CountTransitions implements [store.Snapshot].
func (v snapshot) CountTransitions(ctx context.Context, filter store.TransitionFilter, most int64) (int64, error) {
	from, args := v.fromTransitions(filter)
	return one(ctx, v.session, "", number,
		"SELECT COUNT(*) FROM (SELECT 1"+from+" LIMIT ?) counted", append(args, most)...)
}

// SumTransitions implements [store.Snapshot].
func (v snapshot) SumTransitions(ctx context.Context, filter store.TransitionFilter) ([]store.TransitionCount, error) {
	from, args := v.fromTransitions(filter)
	return all(ctx, v.session, func(c *store.TransitionCount) []any {
		return []any{&c.TaskTemplateID, status(&c.From), status(&c.To), &c.Retry, &c.Count}
	}, `
		SELECT s.task_template_id, s.previous_status, s.new_status, s.retry, COUNT(*)`+from+`
		GROUP BY s.task_template_id, s.previous_status, s.new_status, s.retry`, args...)
}

// Changes implements [store.Snapshot].
func (v snapshot) Changes(ctx context.Context, filter store.TransitionFilter) iter.Seq2[jobmon.Transition, error] {
	from, args := v.fromTransitions(filter)
	return each(ctx, v.session, func(t *jobmon.Transition) []any {
		return []any{&t.TaskTemplateID, status(&t.From), status(&t.To), instant{&t.At}, instant{&t.PreviousAt}, &t.Retry}
	}, `
		SELECT s.task_template_id, s.previous_status, s.new_status, s.changed_at, s.previous_at, s.retry`+
		from+" ORDER BY s.changed_at", args...)
}

// Transitions implements [store.Snapshot].
func (v snapshot) Transitions(ctx context.Context, filter store.TransitionFilter) iter.Seq2[jobmon.Transition, error] {
	from, args := v.fromTransitions(filter)
	return each(ctx, v.session, transitionColumns, selectTransition+from+" ORDER BY s.changed_at, s.id", args...)
}

// TaskIDs implements [store.Snapshot].
func (v snapshot) TaskIDs(ctx context.Context, workflowID int64) (least, greatest int64, err error) {
	type span struct{ least, greatest int64 }
	found, err := one(ctx, v.session, "", func(s *span) []any { return []any{orZero(&s.least), orZero(&s.greatest)} },
		"SELECT MIN(t.id), MAX(t.id) FROM task t WHERE t.workflow_id = ? AND ? NOT IN ("+staged+")", workflowID, workflowID)
	return found.least, found.greatest, err
}

// TaskTransitions implements [store.Snapshot]. It does not go by the workflow's index, which would find all of
// its rows each time.
func (v snapshot) TaskTransitions(ctx context.Context, workflowID, from, to int64) iter.Seq2[jobmon.Transition, error] {
	return each(ctx, v.session, transitionColumns, selectTransition+`
		FROM task_status_audit s WHERE s.task_id >= ? AND s.task_id <= ? AND s.workflow_id + 0 = ? AND ? NOT IN (`+staged+`)
		ORDER BY s.task_id, s.changed_at, s.id`, from, to, workflowID, workflowID)
}

// CountSince implements [store.Snapshot].
func (v snapshot) CountSince(ctx context.Context, at, most int64) (int64, error) {
	return one(ctx, v.session, "", number, `
		SELECT COUNT(*) FROM (
			SELECT 1 FROM task_status_audit s WHERE s.changed_at >= ? AND s.workflow_id NOT IN (`+staged+`) LIMIT ?) counted`,
		v.at(at), most)
}

// Limits implements [store.Snapshot].
func (v snapshot) Limits(ctx context.Context, workflowID int64) ([]store.Limit, error) {
	return all(ctx, v.session, func(l *store.Limit) []any {
		return []any{&l.WorkflowID, orZero(&l.ArrayID), orZero(&l.TaskTemplateID), &l.MaxConcurrentlyRunning, instant{&l.At}}
	}, `
		SELECT l.workflow_id, l.array_id, v.task_template_id, l.max_concurrently_running, l.changed_at FROM concurrency_limit l
		LEFT JOIN "array" a ON a.id = l.array_id
		LEFT JOIN task_template_version v ON v.id = a.task_template_version_id
		WHERE l.workflow_id = ? AND l.workflow_id NOT IN (`+staged+`)
		ORDER BY l.changed_at, l.id`, workflowID)
}

// Tasks implements [store.Snapshot].
func (v snapshot) Tasks(ctx context.Context, filter store.TaskFilter) iter.Seq2[store.Task, error] {
	return v.eachTask(ctx, filter, "")
}

// Instances implements [store.Snapshot].
func (v snapshot) Instances(ctx context.Context, filter store.InstanceFilter) ([]store.Instance, error) {
	return v.instances(ctx, filter, "")
}

// RequestedResources implements [store.Snapshot].
func (v snapshot) RequestedResources(ctx context.Context, taskResourcesID int64) (string, error) {
	return one(ctx, v.session, fmt.Sprintf("there are no task resources %d", taskResourcesID),
		func(text *string) []any { return []any{text} },
		"SELECT requested_resources FROM task_resources WHERE id = ?", taskResourcesID)
}
