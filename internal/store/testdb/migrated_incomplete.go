package testdb

import (
	"maps"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// testIncomplete tests that the statements that correct the status of imported runs change only those that were stored
// as FAILED and are not.
func (k Kind) testIncomplete(t *testing.T, statements []string) {
	t.Helper()
	url := k.URL(t)
	opened := k.open(t, url)
	ctx := t.Context()
	want := map[string]jobmon.WorkflowStatus{}
	for name, c := range map[string]struct {
		lives  []string
		status jobmon.WorkflowStatus // as it was stored
		want   jobmon.WorkflowStatus
	}{
		"failed":          {[]string{"GQIOREF", "G"}, jobmon.WorkflowFailed, jobmon.WorkflowFailed},
		"incomplete":      {[]string{"GQIORD", "GQIOREG"}, jobmon.WorkflowFailed, jobmon.WorkflowIncomplete},
		"running":         {[]string{"GQIORD", "GQIOR"}, jobmon.WorkflowFailed, jobmon.WorkflowRunning},
		"running, failed": {[]string{"GQIOREF", "GQ"}, jobmon.WorkflowFailed, jobmon.WorkflowRunning},
		"done":            {[]string{"GQIORD"}, jobmon.WorkflowDone, jobmon.WorkflowDone},
		"not imported":    {[]string{"GQIORD", "G"}, jobmon.WorkflowFailed, jobmon.WorkflowFailed},
	} {
		want[name] = c.want
		id, err := opened.BeginImport(ctx, store.Import{Name: name, Engine: "csv"})
		var histories []jobmon.TaskHistory
		for _, life := range c.lives {
			history := jobmon.TaskHistory{Name: life, Template: "t", Attempts: 1}
			for i, to := range life {
				history.Moves = append(history.Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: int64(i) + 1})
			}
			histories = append(histories, history)
		}
		if err == nil {
			err = opened.ImportTasks(ctx, id, histories)
		}
		if err == nil {
			err = opened.PublishImport(ctx, id, c.status)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	corrections := []string{"DELETE FROM workflow_import WHERE name = 'not imported'"}
	for _, statement := range statements {
		if strings.Contains(statement, "UPDATE workflow SET") {
			corrections = append(corrections, statement)
		}
	}
	if len(corrections) != 3 {
		t.Fatalf("the migration has other statements: %q", corrections)
	}
	k.execute(t, url, corrections...)
	db := k.connect(t, url)
	rows, err := db.QueryContext(ctx, "SELECT name, status FROM workflow")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[string]jobmon.WorkflowStatus{}
	for rows.Next() {
		var name, status string
		if err := rows.Scan(&name, &status); err != nil {
			t.Fatal(err)
		}
		got[name] = jobmon.WorkflowStatus(status[0])
	}
	if err := rows.Err(); err != nil || !maps.Equal(got, want) {
		t.Errorf("the statuses are %v, want %v; %v", got, want, err)
	}
}
