package demo_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"tasktide/internal/demo"
	"tasktide/internal/jobmon"
)

var now = time.Date(2026, 5, 14, 9, 30, 0, 0, time.UTC).UnixMicro()

func TestHistory(t *testing.T) {
	for seed := range uint64(10) {
		workflows := demo.History(seed, now)

		tasks, attempts, templates := 0, 0, 0
		names := map[string]bool{}
		for _, workflow := range workflows {
			if names[workflow.Name] {
				t.Errorf("two workflows are named %q", workflow.Name)
			}
			names[workflow.Name] = true
			tasks += len(workflow.Tasks)
			templates = max(templates, checkWorkflow(t, workflow))
			over := true
			for _, task := range workflow.Tasks {
				attempts += task.Attempts
				over = over && task.Moves[len(task.Moves)-1].To == jobmon.TaskDone
			}
			if failed := workflow.Name == "forecast_backfill"; over == failed {
				t.Errorf("%s: all done is %t", workflow.Name, over)
			}
		}
		if tasks < 5_000 || tasks > 15_000 {
			t.Errorf("%d tasks, want 5,000 to 15,000", tasks)
		}
		if templates != 40 {
			t.Errorf("the largest workflow has %d templates, want 40", templates)
		}
		// Tasks that wait in vain for the one that failed have no attempt.
		if retries := attempts - tasks; retries < 0 || retries > tasks/10 {
			t.Errorf("%d attempts at %d tasks: too few or too many retries", attempts, tasks)
		}
	}
}

// checkWorkflow checks what holds of every workflow and returns its number of templates.
func checkWorkflow(t *testing.T, workflow demo.Workflow) int {
	t.Helper()
	type step struct {
		at     int64
		change int64
	}
	var steps []step
	templates := map[string]bool{}
	names := map[string]bool{}
	for _, task := range workflow.Tasks {
		if err := task.Check(); err != nil {
			t.Error(err)
		}
		if names[task.Name] {
			t.Errorf("two tasks of %s are named %q", workflow.Name, task.Name)
		}
		names[task.Name] = true
		templates[task.Template] = true
		queued := 0
		for i, move := range task.Moves {
			if i > 0 && task.Moves[i-1].To.Active() {
				steps = append(steps, step{move.At, -1})
			}
			if move.To.Active() {
				steps = append(steps, step{move.At, 1})
			}
			if move.To == jobmon.TaskQueued {
				queued++
			}
		}
		if queued != task.Attempts {
			t.Errorf("%q was queued %d times in %d attempts", task.Name, queued, task.Attempts)
		}
		if first := task.Moves[0].At; first < now-24*time.Hour.Microseconds() {
			t.Errorf("%q begins %s before now", task.Name, time.Duration(now-first)*time.Microsecond)
		}
		if last := task.Moves[len(task.Moves)-1].At; last >= now {
			t.Errorf("%q ends after now", task.Name)
		}
	}

	slices.SortFunc(steps, func(a, b step) int { return int(a.at - b.at) })
	var active, peak int64
	for i, s := range steps {
		active += s.change
		if i+1 == len(steps) || steps[i+1].at > s.at {
			peak = max(peak, active)
		}
	}
	if peak > workflow.MaxConcurrentlyRunning {
		t.Errorf("%s has %d tasks active at once, limit %d", workflow.Name, peak, workflow.MaxConcurrentlyRunning)
	}
	if peak < workflow.MaxConcurrentlyRunning/2 {
		t.Errorf("%s has at most %d tasks active: its limit %d shows nothing", workflow.Name, peak, workflow.MaxConcurrentlyRunning)
	}
	if active != 0 {
		t.Errorf("%s leaves %d tasks active", workflow.Name, active)
	}
	return len(templates)
}

func TestHistoryIsSeeded(t *testing.T) {
	first := demo.History(7, now)
	if !reflect.DeepEqual(first, demo.History(7, now)) {
		t.Error("the same seed gives another history")
	}
	if reflect.DeepEqual(first, demo.History(8, now)) {
		t.Error("another seed gives the same history")
	}

	hour := time.Hour.Microseconds()
	later := demo.History(7, now+hour)
	for _, workflow := range later {
		for _, task := range workflow.Tasks {
			for i := range task.Moves {
				task.Moves[i].At -= hour
			}
		}
	}
	if !reflect.DeepEqual(first, later) {
		t.Error("an hour later the history is not the same, an hour along")
	}
}
