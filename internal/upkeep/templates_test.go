package upkeep_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// told is what a template's tasks went through, one by one.
type told struct {
	levels                      map[jobmon.TaskStatus]int64
	attempts, retries, failures int64
	runs                        []int64 // how long they took, ascending
}

func tell(tasks []jobmon.TaskHistory) map[string]*told {
	all := map[string]*told{}
	for _, task := range tasks {
		of := all[task.Template]
		if of == nil {
			of = &told{levels: map[jobmon.TaskStatus]int64{}}
			all[task.Template] = of
		}
		attempts := int64(0)
		for i, move := range task.Moves {
			switch {
			case move.To == jobmon.TaskQueued:
				attempts++
			case move.To == jobmon.TaskErrorRecoverable:
				of.failures++
			case move.To == jobmon.TaskDone && task.Moves[i-1].To == jobmon.TaskRunning:
				of.runs = append(of.runs, move.At-task.Moves[i-1].At)
			}
		}
		of.attempts += attempts
		of.retries += max(attempts-1, 0)
		of.levels[task.Moves[len(task.Moves)-1].To]++
		slices.Sort(of.runs)
	}
	return all
}

func checkTemplates(t *rapid.T, line *timeline.Timeline, id int64, tasks []jobmon.TaskHistory, when string) {
	t.Helper()
	answer, err := line.TemplateStats(context.Background(), id)
	if err != nil {
		t.Fatalf("%s: %v", when, err)
	}
	want := tell(tasks)
	if len(answer.Templates) != len(want) {
		t.Fatalf("%s: %d templates, want %d", when, len(answer.Templates), len(want))
	}
	for i := range answer.Templates {
		got := &answer.Templates[i]
		want := want[got.Name]
		for status, level := range got.Levels {
			if level == 0 {
				delete(got.Levels, status)
			}
		}
		if !reflect.DeepEqual(got.Levels, want.levels) || got.Attempts != want.attempts || got.Retries != want.retries ||
			got.Failures != want.failures || got.Runs.Count() != int64(len(want.runs)) {
			t.Fatalf("%s: %q has levels %v, %d attempts, %d retries, %d failures, %d runs; want %+v", when, got.Name, got.Levels,
				got.Attempts, got.Retries, got.Failures, got.Runs.Count(), want)
		}
		for _, share := range []float64{0.1, 0.5, 0.9, 1} {
			length, ran := got.Runs.Quantile(share)
			if ran != (len(want.runs) > 0) {
				t.Fatalf("%s: %q has a quantile: %t", when, got.Name, ran)
			}
			if !ran {
				continue
			}
			exact := float64(want.runs[int(math.Ceil(share*float64(len(want.runs))))-1])
			if math.Abs(float64(length)-exact) > concurrency.LengthError*exact {
				t.Fatalf("%s: %q has the quantile %v at %d, want %v", when, got.Name, share, length, exact)
			}
		}
	}
}

// checkExactly asks for what a block tells.
func checkExactly(t *rapid.T, line *timeline.Timeline, key store.BlockKey, tasks []jobmon.TaskHistory, when string) {
	t.Helper()
	kind, _ := concurrency.KindNamed(key.Kind)
	request := exactly(key)
	switch {
	case kind == concurrency.Runs:
		checkTemplates(t, line, key.WorkflowID, tasks, when)
	case kind.Retries:
		request.Split, request.Top = true, len(tasks)
		checkAttempts(t, line, request, tasks, true)
	default:
		check(t, line, request, tasks, when)
	}
}

// What became of the tasks of each template is told before the roll-up, after it, with marks, and when the rows are
// gone.
func TestTemplatesAreThoseOfAllRows(t *testing.T) {
	base := ahead() // by when all has happened
	db := clocked{open(t), base + 300*day}
	line, roll := timeline.New(db, nil), upkeep.NewRollUp(db, quiet)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		tasks := lives(t, base)
		id := loadToExpire(t, db, fmt.Sprint("run ", number), tasks)
		checkTemplates(t, line, id, tasks, "before the roll-up")
		pass(t, roll.Pass)
		checkTemplates(t, line, id, tasks, "after it")
		mark(t, db, id, tasks[0].Moves[0].At)
		checkTemplates(t, line, id, tasks, "with a mark")
		pass(t, roll.Pass)
		forgetRows(t, db, id, base+200*day)
		checkTemplates(t, line, id, tasks, "without rows")
	})
}
