package sqlstore

import (
	"context"
	"iter"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// endedRuns lists the statuses of runs that have ended: see activeStatuses.
var endedRuns = lettersOf(jobmon.RunStatuses(), jobmon.RunStatus.Ended)

// Suspects implements [store.Snapshot].
func (v snapshot) Suspects(ctx context.Context, workflowID, at int64) iter.Seq2[store.Suspect, error] {
	return each(ctx, v.session, func(s *store.Suspect) []any {
		return append([]any{
			&s.TaskID, &s.TaskName, &s.TaskTemplateName, status(&s.Status), instant{&s.StatusAt}, &s.NumAttempts,
		}, runColumns(&s.Run)...)
	}, `
		SELECT t.id, t.name, p.name, t.status, t.status_date, t.num_attempts, `+runColumnNames+`
		FROM task t
		JOIN task_instance i ON i.task_id = t.id
		JOIN workflow_run r ON r.id = i.workflow_run_id
		JOIN task_template p ON p.id = t.task_template_id
		WHERE t.workflow_id = ? AND t.workflow_id NOT IN (`+staged+`) AND t.status IN (`+activeStatuses+`)
			AND NOT `+hasLater+` AND (r.status IN (`+endedRuns+`) OR r.heartbeat_date < ?)
		ORDER BY t.id`, workflowID, v.at(at))
}
