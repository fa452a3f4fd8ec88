package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"strconv"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

const (
	// staleImport is how long an import may be silent before it is taken for dead.
	staleImport = time.Minute
	// removeBatch is how many rows one transaction removes: it holds the writer for some tens of
	// milliseconds.
	removeBatch = 2000
)

// BeginImport implements [store.Importer].
func (s *Store) BeginImport(ctx context.Context, run store.Import) (workflowID int64, err error) {
	if err := s.removeStaleImports(ctx, run.StaleAfter); err != nil {
		return 0, err
	}
	err = s.update(ctx, func(tx session) error {
		workflowID, err = tx.beginImport(ctx, run)
		return err
	})
	return workflowID, err
}

// removeStaleImports removes what imports that died left behind.
func (s *Store) removeStaleImports(ctx context.Context, after time.Duration) error {
	if after == 0 {
		after = staleImport
	}
	var stale []int64
	err := s.view(ctx, func(tx session) error {
		now, err := tx.now(ctx)
		if err != nil {
			return err
		}
		stale, err = all(ctx, tx, number, staged+" AND staged_at < ? ORDER BY workflow_id", tx.at(max(now-after.Microseconds(), 0)))
		return err
	})
	for _, id := range stale {
		if err == nil {
			err = s.AbandonImport(ctx, id)
		}
	}
	return err
}

// beginImport makes a workflow with a tool version and a graph of its own, so that what the import
// adds can be removed again without a look at what others use.
func (s session) beginImport(ctx context.Context, run store.Import) (int64, error) {
	if err := s.refuseImport(ctx, run); err != nil {
		return 0, err
	}
	now, err := s.now(ctx)
	if err != nil {
		return 0, err
	}
	tool, err := s.registerTool(ctx, run.Engine)
	if err != nil {
		return 0, err
	}
	versionID, err := s.insert(ctx, "INSERT INTO tool_version (tool_id) VALUES (?)", tool.ID)
	if err != nil {
		return 0, err
	}
	// No client's hash looks like this: those are decimal numbers.
	own := fmt.Sprintf("import:%d", versionID)
	dagID, err := s.insert(ctx, "INSERT INTO dag (hash, created_date) VALUES (?, ?)", own, s.at(now))
	if err != nil {
		return 0, err
	}
	workflowID, err := s.saveWorkflow(ctx, store.Workflow{
		WorkflowKey: store.WorkflowKey{ToolVersionID: versionID, DAGID: dagID, ArgsHash: own, TaskHash: own},
		Name:        run.Name, MaxConcurrentlyRunning: cmp.Or(run.MaxConcurrentlyRunning, jobmon.NoLimit),
		Status: jobmon.WorkflowRegistering, StatusAt: now,
	})
	if err != nil {
		return 0, err
	}
	_, err = s.exec(ctx, `
		INSERT INTO workflow_import (workflow_id, name, engine, source_hash, staged_tasks, staged_at) VALUES (?, ?, ?, ?, 0, ?)`,
		workflowID, key(run.Name), run.Engine, key(run.SourceHash), s.at(now))
	if err != nil {
		return 0, err
	}
	return workflowID, s.insertHorizon(ctx, workflowID, !run.Expire)
}

// refuseImport returns CodeConflict when the run is stored already or being loaded.
func (s session) refuseImport(ctx context.Context, run store.Import) error {
	type existing struct{ workflowID, publishedAt int64 }
	found, err := one(ctx, s, "", func(e *existing) []any { return []any{&e.workflowID, instant{&e.publishedAt}} },
		"SELECT workflow_id, published_at FROM workflow_import WHERE name = ? AND source_hash = ?",
		key(run.Name), key(run.SourceHash))
	switch {
	case jobmon.ErrorCode(err) == jobmon.CodeNotFound:
		return nil
	case err != nil:
		return err
	case found.publishedAt != 0:
		return jobmon.Errorf(jobmon.CodeConflict,
			"this run is already stored as workflow %d under the name %q; choose another name to store it again",
			found.workflowID, run.Name)
	default:
		return jobmon.Errorf(jobmon.CodeConflict,
			"this run is being loaded under the name %q by another import; wait for it to end, or a minute if it has died", run.Name)
	}
}

// refreshImport says that an import is alive, and returns how many tasks it has staged and the tool
// version that is its own. CodeNotFound when it has been taken for dead, or is published.
func (s session) refreshImport(ctx context.Context, workflowID int64, now int64) (tasks, toolVersionID int64, err error) {
	matched, err := s.exec(ctx, `
		UPDATE workflow_import SET staged_at = ? WHERE workflow_id = ? AND published_at IS NULL AND staged_at > ?`,
		s.at(now), workflowID, s.at(0))
	if err != nil {
		return 0, 0, err
	}
	if matched == 0 {
		return 0, 0, jobmon.Errorf(jobmon.CodeNotFound,
			"workflow %d is not being imported, or no longer; start the import again", workflowID)
	}
	type found struct{ tasks, toolVersionID int64 }
	row, err := one(ctx, s, "", func(f *found) []any { return []any{&f.tasks, &f.toolVersionID} }, `
		SELECT i.staged_tasks, w.tool_version_id FROM workflow_import i JOIN workflow w ON w.id = i.workflow_id
		WHERE i.workflow_id = ?`, workflowID)
	return row.tasks, row.toolVersionID, err
}

// ImportTasks implements [store.Importer].
func (s *Store) ImportTasks(ctx context.Context, workflowID int64, tasks []jobmon.TaskHistory) error {
	return s.update(ctx, func(tx session) error { return tx.stageTasks(ctx, workflowID, tasks) })
}

// place is where the tasks of a template go: its array, and a node that they share, since the graph of
// an imported run is not known.
type place struct{ arrayID, nodeID int64 }

func (s session) stageTasks(ctx context.Context, workflowID int64, histories []jobmon.TaskHistory) error {
	now, err := s.now(ctx)
	if err != nil {
		return err
	}
	before, toolVersionID, err := s.refreshImport(ctx, workflowID, now)
	if err != nil {
		return err
	}
	places, templates := map[string]place{}, map[string]int64{}
	tasks := make([]store.Task, len(histories))
	for i, history := range histories {
		if err := checkHistory(history); err != nil {
			return err
		}
		if _, known := places[history.Template]; !known {
			places[history.Template], templates[history.Template], err = s.place(ctx, workflowID, toolVersionID, history.Template, now)
			if err != nil {
				return err
			}
		}
		last := history.Moves[len(history.Moves)-1]
		tasks[i] = store.Task{
			WorkflowID: workflowID, NodeID: places[history.Template].nodeID, ArrayID: places[history.Template].arrayID,
			ArgsHash: strconv.FormatInt(before+int64(i), 10), Name: history.Name,
			NumAttempts: history.Attempts, MaxAttempts: max(history.Attempts, jobmon.DefaultMaxAttempts),
			Status: last.To, StatusAt: last.At,
		}
	}
	if len(tasks) == 0 {
		return nil
	}
	if err := s.importTasks(ctx, tasks, histories, templates, now); err != nil {
		return err
	}
	_, err = s.exec(ctx, "UPDATE workflow_import SET staged_tasks = staged_tasks + ? WHERE workflow_id = ?", len(tasks), workflowID)
	return err
}

func checkHistory(history jobmon.TaskHistory) error {
	if len(history.Moves) == 0 {
		return jobmon.Errorf(jobmon.CodeInvalid, "task %q has no history", history.Name)
	}
	for _, move := range history.Moves {
		if move.At <= 0 || move.At > store.MaxInstant {
			return jobmon.Errorf(jobmon.CodeInvalid, "task %q entered %s at an instant outside the years 1970 to 9999",
				history.Name, move.To.Name())
		}
	}
	return nil
}

// place returns where the tasks of a template go, with the template's id, and makes it when it is new.
func (s session) place(
	ctx context.Context, workflowID, toolVersionID int64, template string, now int64,
) (p place, templateID int64, err error) {
	if templateID, err = s.registerTaskTemplate(ctx, toolVersionID, template); err != nil {
		return p, 0, err
	}
	version, err := s.registerTaskTemplateVersion(ctx, store.TaskTemplateVersion{TaskTemplateID: templateID})
	if err != nil {
		return p, 0, err
	}
	nodes, err := s.registerNodes(ctx, []store.Node{{TaskTemplateVersionID: version.ID}})
	if err != nil {
		return p, 0, err
	}
	p.nodeID = nodes[0]
	p.arrayID, err = one(ctx, s, "", number,
		`SELECT id FROM "array" WHERE workflow_id = ? AND task_template_version_id = ?`, workflowID, version.ID)
	if jobmon.ErrorCode(err) == jobmon.CodeNotFound {
		p.arrayID, err = s.saveArray(ctx, store.Array{
			TaskTemplateVersionID: version.ID, WorkflowID: workflowID, Name: template,
			MaxConcurrentlyRunning: jobmon.NoLimit, CreatedAt: now,
		})
	}
	return p, templateID, err
}

// PublishImport implements [store.Importer]. The workflow dates from its first transition, from when
// on its limits hold too; its status dates from its last.
func (s *Store) PublishImport(ctx context.Context, workflowID int64, status jobmon.WorkflowStatus) error {
	return s.update(ctx, func(tx session) error {
		now, err := tx.now(ctx)
		if err != nil {
			return err
		}
		if _, _, err := tx.refreshImport(ctx, workflowID, now); err != nil {
			return err
		}
		type span struct{ first, last int64 }
		run, err := one(ctx, tx, "", func(r *span) []any { return []any{instant{&r.first}, instant{&r.last}} },
			"SELECT "+firstTransition+", "+lastTransition+" FROM workflow w WHERE w.id = ?", workflowID)
		if err != nil {
			return err
		}
		if run.first == 0 {
			run = span{now, now}
		}
		_, err = tx.exec(ctx, "UPDATE workflow SET status = ?, status_date = ?, created_date = ? WHERE id = ?",
			status.String(), tx.at(run.last), tx.at(run.first), workflowID)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `
			INSERT INTO concurrency_limit (workflow_id, array_id, max_concurrently_running, changed_at)
			SELECT id, NULL, max_concurrently_running, ? FROM workflow WHERE id = ?`, tx.at(run.first), workflowID)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, `
			INSERT INTO concurrency_limit (workflow_id, array_id, max_concurrently_running, changed_at)
			SELECT workflow_id, id, max_concurrently_running, ? FROM "array" WHERE workflow_id = ? ORDER BY id`,
			tx.at(run.first), workflowID)
		if err != nil {
			return err
		}
		_, err = tx.exec(ctx, "UPDATE workflow_import SET published_at = ? WHERE workflow_id = ?", tx.at(now), workflowID)
		return err
	})
}

// AbandonImport implements [store.Importer].
func (s *Store) AbandonImport(ctx context.Context, workflowID int64) error {
	doomed, err := s.doomImport(ctx, workflowID)
	if err != nil || !doomed {
		return err
	}
	for _, table := range []string{"concurrency_mark", "task_status_audit", "task"} {
		for matched := int64(removeBatch); matched == removeBatch; {
			err := s.update(ctx, func(tx session) (err error) {
				ids, err := all(ctx, tx, number, "SELECT id FROM "+table+" WHERE workflow_id = ? LIMIT ?", workflowID, removeBatch)
				if err != nil {
					return err
				}
				matched, err = tx.removeRows(ctx, table, "id", ids)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	return s.update(ctx, func(tx session) error { return tx.removeImport(ctx, workflowID) })
}

// doomImport marks an import as being removed, so that nothing is added to it any more. It is false
// when there is nothing to remove.
func (s *Store) doomImport(ctx context.Context, workflowID int64) (doomed bool, err error) {
	err = s.update(ctx, func(tx session) error {
		publishedAt, err := one(ctx, tx, "", func(at *int64) []any { return []any{instant{at}} },
			"SELECT published_at FROM workflow_import WHERE workflow_id = ?"+s.dialect.ForUpdate, workflowID)
		doomed = err == nil
		switch {
		case jobmon.ErrorCode(err) == jobmon.CodeNotFound:
			return nil
		case err != nil:
			return err
		case publishedAt != 0:
			return jobmon.Errorf(jobmon.CodeConflict, "workflow %d is published; it can no longer be abandoned", workflowID)
		}
		_, err = tx.exec(ctx, "UPDATE workflow_import SET staged_at = ? WHERE workflow_id = ?", tx.at(0), workflowID)
		return err
	})
	return doomed && err == nil, err
}

// removeImport removes what is left of an import when its tasks are gone: some rows for each template.
func (s session) removeImport(ctx context.Context, workflowID int64) error {
	type owned struct{ toolVersionID, dagID int64 }
	own, err := one(ctx, s, "", func(o *owned) []any { return []any{&o.toolVersionID, &o.dagID} },
		"SELECT tool_version_id, dag_id FROM workflow WHERE id = ?", workflowID)
	if jobmon.ErrorCode(err) == jobmon.CodeNotFound {
		return nil // another has removed it meanwhile
	}
	if err != nil {
		return err
	}
	templates, err := all(ctx, s, number, "SELECT id FROM task_template WHERE tool_version_id = ?", own.toolVersionID)
	if err != nil {
		return err
	}
	versions, err := all(ctx, s, number, `
		SELECT v.id FROM task_template_version v JOIN task_template t ON t.id = v.task_template_id
		WHERE t.tool_version_id = ?`, own.toolVersionID)
	if err != nil {
		return err
	}
	for _, rows := range []struct {
		table, column string
		ids           []int64
	}{
		{`"array"`, "workflow_id", []int64{workflowID}},
		{"workflow_import", "workflow_id", []int64{workflowID}},
		{"workflow_horizon", "workflow_id", []int64{workflowID}},
		{"workflow", "id", []int64{workflowID}},
		{"dag", "id", []int64{own.dagID}},
		{"node", "task_template_version_id", versions},
		{"task_template_version", "id", versions},
		{"task_template", "id", templates},
		{"tool_version", "id", []int64{own.toolVersionID}},
	} {
		if _, err := s.removeRows(ctx, rows.table, rows.column, rows.ids); err != nil {
			return err
		}
	}
	return nil
}

// removeRows removes the rows of a table that have one of the ids in a column, and returns how many. The
// ids are no subquery: some databases would read the whole table for one.
func (s session) removeRows(ctx context.Context, table, column string, ids []int64) (int64, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	listed, parameters := s.among(column, ids)
	return s.exec(ctx, "DELETE FROM "+table+" WHERE "+listed, parameters...)
}
