package testdb

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// testAttempts tests that the statement that says which attempt old rows belong to says what is said of new ones.
func (k Kind) testAttempts(t *testing.T, statements []string) {
	t.Helper()
	url := k.URL(t)
	opened := k.open(t, url)
	ctx := t.Context()
	const begin = 1_700_000_000_000_000
	life := func(letters string, attempts int) jobmon.TaskHistory {
		history := jobmon.TaskHistory{Name: letters, Template: "t", Attempts: attempts}
		for i, to := range letters {
			history.Moves = append(history.Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: begin + int64(i/2)}) // two at an instant
		}
		return history
	}
	id, err := opened.BeginImport(ctx, store.Import{Name: "run", Engine: "csv"})
	if err == nil {
		err = opened.ImportTasks(ctx, id, []jobmon.TaskHistory{
			life("GQIORD", 1), life("GQIOREGQIORD", 2), life("GQIOREAQIOREAQIOREF", 3), life("GD", 0), life("G", 0),
			life("GQREQRD", 5), // of some attempts nothing is known
			life("GQREAQRD", 2), life("GQREGQREF", 2),
		})
	}
	if err == nil {
		err = opened.PublishImport(ctx, id, jobmon.WorkflowFailed)
	}
	if err != nil {
		t.Fatal(err)
	}
	err = opened.Update(ctx, func(ctx context.Context, tx store.Tx) error {
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{WorkflowID: id})
		if err != nil {
			return err
		}
		reset := func(name, letters string) {
			i := slices.IndexFunc(tasks, func(task store.Task) bool { return task.Name == name })
			for _, to := range letters {
				move := store.TaskMove{IDs: []int64{tasks[i].ID}, To: jobmon.TaskStatus(to), At: begin + 1000}
				switch {
				case to == 'Q':
					move.Attempts = store.AddAttempt
				case to == 'G' && tasks[i].Status != jobmon.TaskErrorRecoverable, to == 'A' && strings.HasPrefix(letters, "EA"):
					move.Attempts = store.ForgetAttempts
				}
				if err == nil {
					err = tx.MoveTasks(ctx, move)
				}
				tasks[i].Status = move.To
			}
		}
		reset("GQREAQRD", "GQREGQRG") // twice
		reset("GQREGQREF", "EAQRD")   // with more resources
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	rows := func() (rows []jobmon.Transition) {
		err := opened.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
			for row, err := range snapshot.TaskTransitions(ctx, id, 0, 1<<40) {
				if err != nil {
					return err
				}
				rows = append(rows, row)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	want := rows()
	if !slices.ContainsFunc(want, func(row jobmon.Transition) bool { return row.Retry > 1 }) {
		t.Fatalf("no row of a third attempt: %+v", want)
	}
	i := slices.IndexFunc(statements, func(statement string) bool { return strings.Contains(statement, "counted.retry") })
	k.execute(t, url, "UPDATE task_status_audit SET retry = 0", statements[i])
	if difference := cmp.Diff(want, rows()); difference != "" {
		t.Errorf("the attempts of old rows differ from those of new ones:\n%s", difference)
	}
}
