package sqlstore

import (
	"context"
	"iter"
	"slices"
	"strings"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

func stayColumns(s *store.Stay) []any {
	return []any{&s.TaskID, &s.TaskTemplateID, status(&s.Status), instant{&s.Since}, instant{&s.Until}}
}

// OpenStays implements [store.Snapshot]. It asks for each status by itself: the index has the tasks of one by
// the instant and the id, so that a page costs what it holds, and not what there is.
func (v snapshot) OpenStays(
	ctx context.Context, filter store.StayFilter, after store.StayKey, most int,
) ([]store.Stay, error) {
	var found []store.Stay
	for _, in := range filter.Statuses {
		one := filter
		one.Statuses = []jobmon.TaskStatus{in}
		from, args := v.fromOpenStays(one)
		// The first condition is for MySQL, which does not look up the second.
		stays, err := all(ctx, v.session, stayColumns, `
			SELECT t.id, t.task_template_id, t.status, t.status_date, NULL`+from+`
				AND t.status_date >= ? AND (t.status_date, t.id) > (?, ?)
			ORDER BY t.status_date, t.id LIMIT ?`,
			append(args, v.at(after.Since), v.at(after.Since), after.TaskID, most)...)
		if err != nil {
			return nil, err
		}
		found = append(found, stays...)
	}
	slices.SortFunc(found, func(a, b store.Stay) int { return a.Key().Compare(b.Key()) })
	return found[:min(most, len(found))], nil
}

// CountOpenStays implements [store.Snapshot].
func (v snapshot) CountOpenStays(ctx context.Context, filter store.StayFilter) (int64, error) {
	from, args := v.fromOpenStays(filter)
	return one(ctx, v.session, "", number, "SELECT COUNT(*)"+from, args...)
}

// fromOpenStays is the FROM and the WHERE clause of stays that are not over: of these the tasks themselves
// tell.
func (v snapshot) fromOpenStays(filter store.StayFilter) (string, []any) {
	var c conditions
	c.add("t.workflow_id = ?", filter.WorkflowID)
	oneOf(&c, "t.status", filter.Statuses)
	c.add("t.status_date <= ?", v.at(filter.At))
	c.ids(v.session, "t.task_template_id", filter.TaskTemplateIDs)
	c.add("? NOT IN ("+staged+")", filter.WorkflowID) // asked once, not for every row
	return " FROM task t" + v.store.dialect.UseIndex("idx_task_workflow_status_since") + c.where(), c.args
}

// EndedStays implements [store.Snapshot]. A stay that is over is told of by the row that ended it, whatever has
// become of the one that began it.
func (v snapshot) EndedStays(
	ctx context.Context, filter store.StayFilter, from, before, most int64,
) iter.Seq2[store.Stay, error] {
	rows, args := v.fromTransitions(store.TransitionFilter{
		WorkflowID: filter.WorkflowID, From: max(from, filter.At+1), Before: before,
	})
	var c conditions
	c.add("s.previous_at <= ?", v.at(filter.At))
	oneOf(&c, "s.previous_status", filter.Statuses)
	c.ids(v.session, "s.task_template_id", filter.TaskTemplateIDs)
	return each(ctx, v.session, stayColumns, `
		SELECT s.task_id, s.task_template_id, s.previous_status, s.previous_at, s.changed_at`+rows+c.and()+`
		ORDER BY s.changed_at LIMIT ?`, slices.Concat(args, c.args, []any{most})...)
}

// BegunStays implements [store.Snapshot].
func (v snapshot) BegunStays(
	ctx context.Context, filter store.StayFilter, after store.StayKey, from, before int64, most int,
) ([]store.Stay, error) {
	rows, args := v.fromTransitions(store.TransitionFilter{
		WorkflowID: filter.WorkflowID, From: max(from, after.Since), Before: min(before, filter.At+1),
	})
	var c conditions
	oneOf(&c, "s.new_status", filter.Statuses)
	c.ids(v.session, "s.task_template_id", filter.TaskTemplateIDs)
	c.add("(s.changed_at > ? OR s.task_id > ?)", v.at(after.Since), after.TaskID)
	c.add(`NOT EXISTS (SELECT 1 FROM task_status_audit n WHERE n.task_id = s.task_id
			AND n.changed_at >= s.changed_at AND n.changed_at <= ? AND (n.changed_at > s.changed_at OR n.id > s.id))`, v.at(filter.At))
	// The ends are looked up last, for those rows only that are left.
	return all(ctx, v.session, stayColumns, `
		SELECT s.task_id, s.task_template_id, s.new_status, s.changed_at,
			(SELECT MIN(n.changed_at) FROM task_status_audit n WHERE n.task_id = s.task_id AND n.changed_at > ?)
		FROM (SELECT s.task_id, s.task_template_id, s.new_status, s.changed_at`+rows+c.and()+`
			ORDER BY s.changed_at, s.task_id LIMIT ?) s
		ORDER BY s.changed_at, s.task_id`, slices.Concat([]any{v.at(filter.At)}, args, c.args, []any{most})...)
}

// TransitionsOf implements [store.Snapshot].
func (v snapshot) TransitionsOf(ctx context.Context, taskIDs []int64) iter.Seq2[jobmon.Transition, error] {
	var c conditions
	c.ids(v.session, "s.task_id", taskIDs)
	if len(taskIDs) > 0 {
		c.add("s.workflow_id NOT IN (" + staged + ")")
	}
	return each(ctx, v.session, transitionColumns, selectTransition+`
		FROM task_status_audit s`+c.where()+" ORDER BY s.task_id, s.changed_at, s.id", c.args...)
}

// TaskNodes implements [store.Snapshot].
func (v snapshot) TaskNodes(ctx context.Context, taskIDs []int64) iter.Seq2[store.TaskNode, error] {
	var c conditions
	c.ids(v.session, "i.task_id", taskIDs)
	return each(ctx, v.session, func(n *store.TaskNode) []any { return []any{&n.TaskID, orZero(&n.Nodename)} },
		"SELECT i.task_id, i.nodename FROM task_instance i"+c.where()+" ORDER BY i.task_id, i.id", c.args...)
}

// and returns the conditions, of which there is at least one, for after a WHERE clause.
func (c *conditions) and() string { return " AND " + strings.Join(c.clauses, " AND ") }
