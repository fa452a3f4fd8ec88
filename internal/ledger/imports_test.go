package ledger_test

import (
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
)

var importedRun = store.Import{Name: "run", Engine: "test", SourceHash: "abc"}

func histories(n int, path string) []jobmon.TaskHistory {
	tasks := make([]jobmon.TaskHistory, n)
	for i := range tasks {
		tasks[i] = jobmon.TaskHistory{Name: fmt.Sprintf("%s %d", path, i), Template: "align"}
		for at, to := range path {
			tasks[i].Moves = append(tasks[i].Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: int64(i*100 + at + 1)})
		}
	}
	return tasks
}

func TestAnImportHoldsOneBatch(t *testing.T) {
	const batch = 10
	w := &world{tb: t, db: openStore(t)}
	w.ledger = ledger.New(w.db, slog.New(slog.DiscardHandler))
	made := 0
	var stages []int
	tasks := func(yield func(jobmon.TaskHistory) bool) {
		for _, task := range histories(25, "GQIORD") {
			staged := 0
			if len(stages) > 0 {
				staged = stages[len(stages)-1]
			}
			if made++; made > staged+batch {
				t.Errorf("%d tasks are made when %d are stored", made, staged)
			}
			if !yield(task) {
				return
			}
		}
	}
	w.workflowID = must(w.ledger.ImportSeq(ctx, importedRun, tasks, batch, func(n int) { stages = append(stages, n) }))(t)
	if !slices.Equal(stages, []int{10, 20, 25}) {
		t.Errorf("staged %v", stages)
	}
	if got := len(w.history()); got != 25 {
		t.Errorf("%d tasks are stored", got)
	}
	if status := w.workflow().Status; status != jobmon.WorkflowDone {
		t.Errorf("the workflow is %s", status.Name())
	}
}

func TestTheStatusOfAnImportFollowsFromItsTasks(t *testing.T) {
	w := &world{tb: t, db: openStore(t)}
	w.ledger = ledger.New(w.db, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		paths []string
		want  jobmon.WorkflowStatus
	}{
		{[]string{"GQIORD", "GD"}, jobmon.WorkflowDone},
		{[]string{"GQIOREF", "GQIORD"}, jobmon.WorkflowFailed},
		{[]string{"G", "GQIORD"}, jobmon.WorkflowIncomplete},
		{[]string{"GQIORD", "GQIOREG"}, jobmon.WorkflowIncomplete},
		{[]string{"GQIOREA"}, jobmon.WorkflowIncomplete},
		{[]string{"G", "GQIOREF", "GQIORD"}, jobmon.WorkflowFailed},
		{[]string{"GQIORD", "GQIOR", "G"}, jobmon.WorkflowRunning},
		{[]string{"GQIOREF", "GQ"}, jobmon.WorkflowRunning},
	} {
		name := strings.Join(c.paths, " ")
		var tasks []jobmon.TaskHistory
		for _, path := range c.paths {
			tasks = append(tasks, histories(2, path)...)
		}
		w.workflowID = must(w.ledger.Import(ctx, store.Import{Name: name, Engine: "test", SourceHash: "abc"}, tasks, nil))(t)
		if status := w.workflow().Status; status != c.want {
			t.Errorf("%s: the workflow is %s", name, status.Name())
		}
	}
}

// What is wrong with a run may show only when a part of it is staged.
func TestAnImportThatFailsLeavesNothing(t *testing.T) {
	db := openStore(t)
	l := ledger.New(db, slog.New(slog.DiscardHandler))
	bad := slices.Concat(histories(25, "GQIORD"), histories(1, "GQIORE"))
	for name, tasks := range map[string]iter.Seq[jobmon.TaskHistory]{
		"a bad history": slices.Values(bad),
		"no tasks":      slices.Values(bad[:0]),
	} {
		_, err := l.ImportSeq(ctx, importedRun, tasks, 10, nil)
		expectCode(t, err, jobmon.CodeInvalid)
		if err != nil && name == "no tasks" && err.Error() != "the run has no tasks" {
			t.Errorf("%s: %v", name, err)
		}
	}
	must(l.Import(ctx, importedRun, bad[:25], nil))(t)
	_, err := l.Import(ctx, importedRun, bad[:25], nil)
	expectCode(t, err, jobmon.CodeConflict)
}
