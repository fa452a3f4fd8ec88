package upkeep_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// listed is what a list says of a task.
type listed struct {
	name, template string
	status         jobmon.TaskStatus
	since, until   int64
}

// tasksAt looks at each task, for the list of those that are in a set at an instant. Tasks are numbered in the
// order of their ids.
func tasksAt(tasks []jobmon.TaskHistory, at int64, set concurrency.StatusSet, templates []string) []listed {
	var found []listed
	for _, task := range tasks {
		if len(templates) > 0 && !slices.Contains(templates, task.Template) {
			continue
		}
		var in listed
		for _, move := range task.Moves {
			switch {
			case move.At <= at:
				in = listed{task.Name, task.Template, move.To, move.At, 0}
			case in.until == 0:
				in.until = move.At
			}
		}
		if set.Has(in.status) {
			found = append(found, in)
		}
	}
	slices.SortStableFunc(found, func(a, b listed) int { return cmp.Compare(a.since, b.since) })
	return found
}

// The pages list all tasks that were in the statuses and no others, as many as the level says, each with the
// whole of its stay: before the roll-up and after it, and whatever retention has removed, or there is a refusal
// that says from when on they can be listed.
func TestListsOutliveTheRows(t *testing.T) {
	base := ahead()
	db := clocked{open(t), base + 300*day}
	line := timeline.New(db, nil)
	number, refusals, tasksListed := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		tasks := lives(t, base)
		names := []string{}
		for _, task := range tasks {
			names = append(names, task.Template)
		}
		id := loadToExpire(t, db, fmt.Sprint("run ", number), tasks)
		if rapid.Bool().Draw(t, "rolled up") {
			pass(t, upkeep.NewRollUp(db, quiet).Pass)
			cut := base + rapid.Int64Range(-100, 100).Draw(t, "cut")*rapid.SampledFrom([]int64{second, hour, day}).Draw(t, "unit")
			retention, err := newRetention(lone{db, id}, quiet, time.Duration(db.now-max(cut, base-9*day))*time.Microsecond, 0)
			if err != nil {
				t.Fatal(err)
			}
			pass(t, retention.Pass)
		}
		from := horizonOf(t, db, id).RowsFrom
		for range 4 {
			move := rapid.SampledFrom(rapid.SampledFrom(tasks).Draw(t, "task").Moves).Draw(t, "move")
			beside := rapid.Int64Range(-1, 1).Draw(t, "beside") * rapid.SampledFrom([]int64{1, 1, 1, minute, day}).Draw(t, "by")
			at := min(move.At+beside, db.now)
			request := timeline.TasksRequest{
				WorkflowID: id, At: &at, Limit: rapid.IntRange(1, 5).Draw(t, "limit"),
				Statuses:  rapid.SampledFrom(concurrency.Kinds()).Draw(t, "kind").Set,
				Templates: rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 2, rapid.ID[string]).Draw(t, "templates"),
			}
			if rapid.Bool().Draw(t, "any union") {
				request.Statuses = concurrency.StatusSet(rapid.Uint32().Draw(t, "statuses")) & concurrency.All
			}
			want := tasksAt(tasks, at, request.Statuses, request.Templates)
			var got []listed
			for {
				answer, err := line.Tasks(context.Background(), request)
				if at < from {
					refused(t, err, "at", "rows_from")
					refusals++
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if answer.At != at || answer.Level != int64(len(want)) || answer.RowsFrom != from || len(answer.Tasks) > request.Limit {
					t.Fatalf("%+v of %+v, where the level is %d", answer, request, len(want))
				}
				for _, task := range answer.Tasks {
					got = append(got, listed{task.Name, task.Template, task.Status, task.Since, task.Until})
				}
				if answer.Next == nil {
					if tasksListed += len(got); !slices.Equal(got, want) {
						t.Fatalf("at %d, rows from %d: got %+v, want %+v", at, from, got, want)
					}
					break
				}
				request.After = *answer.Next
			}
		}
	})
	metAllf(t, refusals > 0 && tasksListed > 0, "%d refusals and %d tasks", refusals, tasksListed)
}
