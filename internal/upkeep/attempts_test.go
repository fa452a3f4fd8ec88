package upkeep_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// splitChanges lists all the moves of tasks in order as the first attempts at them see these, and as the later
// ones do: of template i in series 2i and 2i+1. Tasks that wait for an attempt are with the first ones.
func splitChanges(tasks []jobmon.TaskHistory, series func(template string) int) []concurrency.Change {
	var changes []concurrency.Change
	for _, task := range tasks {
		attempts, from, was := 0, jobmon.TaskStatus(0), 0
		for _, move := range task.Moves {
			if move.To == jobmon.TaskQueued {
				attempts++
			}
			is := 0
			if attempts > 1 && move.To != jobmon.TaskRegistering && move.To != jobmon.TaskAdjustingResources {
				is = 1
			}
			first := 2 * series(task.Template)
			if is == was {
				changes = append(changes, concurrency.Change{At: move.At, Series: first + is, From: from, To: move.To})
			} else {
				changes = append(changes, concurrency.Change{At: move.At, Series: first + was, From: from},
					concurrency.Change{At: move.At, Series: first + is, To: move.To})
			}
			from, was = move.To, is
		}
	}
	slices.SortFunc(changes, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) })
	return changes
}

// checkAttempts holds an answer that tells attempts apart against the engine's over all rows. Exact says that
// nothing may be an upper bound.
func checkAttempts(t *rapid.T, line *timeline.Timeline, request timeline.Request, tasks []jobmon.TaskHistory, exact bool) {
	t.Helper()
	answer, err := line.Concurrency(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	if exact && answer.UpperBound != (timeline.UpperBound{}) {
		t.Fatalf("%+v with all rows at hand", answer.UpperBound)
	}
	n := len(answer.Templates) / 2
	if len(answer.Series) != 2*n || len(answer.Attempts) != 2*n || n > request.Top {
		t.Fatalf("%d series of %v, %v", len(answer.Series), answer.Templates, answer.Attempts)
	}
	seriesOf := func(of int) func(name string) int {
		return func(name string) int {
			if i := slices.Index(answer.Templates, name); i >= 0 {
				return i / of
			}
			return len(answer.Templates) / of
		}
	}
	split, err := concurrency.Count(answer.Window, request.Statuses, 2*n+2, answer.Now, splitChanges(tasks, seriesOf(2)))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := concurrency.Count(answer.Window, request.Statuses, 2*n+1, answer.Now, changesOf(tasks, seriesOf(1)))
	if err != nil {
		t.Fatal(err)
	}
	for i, attempts := range answer.Attempts {
		bound := answer.UpperBound.SeriesPeaks
		if attempts == timeline.FirstAttempts {
			bound = bound || answer.UpperBound.FirstPeaks
		}
		if want := []timeline.Attempts{timeline.FirstAttempts, timeline.LaterAttempts}[i%2]; attempts != want {
			t.Fatalf("series %d counts %s attempts", i, attempts)
		}
		agree(t, fmt.Sprint(answer.Templates[i], " ", attempts), split.Series[i], answer.Series[i], bound, answer.UpperBound.Entered)
	}
	agree(t, "all", whole.Total, answer.Total, answer.UpperBound.TotalPeaks, answer.UpperBound.Entered)
	if answer.Other != nil {
		agree(t, "the other", whole.Series[2*n], answer.Other.Series, answer.UpperBound.OtherPeaks, answer.UpperBound.Entered)
	}
}

// Attempts after the first are told apart before the roll-up, after it, and when the rows are gone.
func TestAttemptsAreThoseOfAllRows(t *testing.T) {
	db := open(t)
	line, roll := timeline.New(db, nil), upkeep.NewRollUp(db, quiet)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		tasks := lives(t, noon)
		id := load(t, db, fmt.Sprint("run ", number), tasks...)
		ask := func() timeline.Request {
			request := requests(t, id, noon)
			request.Top, request.Split = rapid.IntRange(1, 3).Draw(t, "top"), true
			return request
		}
		checkAttempts(t, line, ask(), tasks, true)
		if err := roll.Pass(context.Background()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			checkAttempts(t, line, ask(), tasks, true)
		}
		forgetRows(t, db, id, noon+400*day)
		for range 3 {
			request := ask()
			// What happens now is always read from rows.
			if request.Bucket%minute == 0 && request.Start%minute == 0 && *request.End < noon+200*day {
				checkAttempts(t, line, request, tasks, false)
			}
		}
	})
}
