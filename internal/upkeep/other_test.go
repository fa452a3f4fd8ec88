package upkeep_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	diff "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// changesOf lists all the moves of tasks in order, with the series that a function makes of each template.
func changesOf(tasks []jobmon.TaskHistory, series func(template string) int) []concurrency.Change {
	var changes []concurrency.Change
	for _, task := range tasks {
		from := jobmon.TaskStatus(0)
		for _, move := range task.Moves {
			changes = append(changes, concurrency.Change{At: move.At, Series: series(task.Template), From: from, To: move.To})
			from = move.To
		}
	}
	slices.SortFunc(changes, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) })
	return changes
}

// limits are appended to a workflow and to one of its arrays at random instants.
func limits(t *rapid.T, db store.Store, id, around int64) {
	var drawn []store.Limit
	err := db.Update(context.Background(), func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.LockWorkflow(ctx, id); err != nil {
			return err
		}
		arrays, err := tx.Arrays(ctx, id)
		if err != nil {
			return err
		}
		scopes := []int64{0, 0}
		for _, array := range arrays {
			scopes = append(scopes, array.ID)
		}
		for range rapid.IntRange(0, 5).Draw(t, "limits") {
			drawn = append(drawn, store.Limit{
				WorkflowID: id, ArrayID: rapid.SampledFrom(scopes).Draw(t, "scope"),
				MaxConcurrentlyRunning: rapid.SampledFrom([]int64{1, 2, 3, 5, 0, jobmon.NoLimit}).Draw(t, "limit"),
				At: around + rapid.Int64Range(-120, 120).Draw(t, "changed")*
					rapid.SampledFrom([]int64{second, minute, hour}).Draw(t, "unit"),
			})
		}
		for _, limit := range drawn {
			if err := tx.AppendLimit(ctx, limit); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkOther holds an answer against the engine's over all rows: which templates are told apart, those that
// are not, and the limits. Exact says that nothing may be an upper bound.
func checkOther(t *rapid.T, db store.Store, request timeline.Request, tasks []jobmon.TaskHistory, exact bool) {
	t.Helper()
	answer, err := timeline.New(db, nil).Concurrency(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	if exact && answer.UpperBound != (timeline.UpperBound{}) {
		t.Fatalf("%+v with all rows at hand", answer.UpperBound)
	}
	var names []string
	for _, task := range tasks {
		names = append(names, task.Template)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	all, err := concurrency.Count(answer.Window, request.Statuses, len(names), answer.Now, changesOf(tasks, func(name string) int {
		return slices.Index(names, name)
	}))
	if err != nil {
		t.Fatal(err)
	}
	first := slices.Clone(names)
	slices.SortStableFunc(first, func(a, b string) int {
		return cmp.Compare(all.Series[slices.Index(names, b)].TaskSeconds(), all.Series[slices.Index(names, a)].TaskSeconds())
	})
	first = first[:min(request.Top, len(first))]
	slices.Sort(first)
	if d := diff.Diff(first, answer.Templates); d != "" {
		t.Fatalf("the templates that are told apart (-want +got):\n%s", d)
	}
	if folded := len(names) - len(first); (answer.Other == nil) != (folded == 0) || folded > 0 && answer.Other.Templates != folded {
		t.Fatalf("%d templates are not told apart, and the other is %+v", folded, answer.Other)
	}
	want, err := concurrency.Count(answer.Window, request.Statuses, len(first)+1, answer.Now, changesOf(tasks, func(name string) int {
		if i := slices.Index(first, name); i >= 0 {
			return i
		}
		return len(first)
	}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range first {
		agree(t, first[i], want.Series[i], answer.Series[i], answer.UpperBound.SeriesPeaks, answer.UpperBound.Entered)
	}
	agree(t, "all", want.Total, answer.Total, answer.UpperBound.TotalPeaks, answer.UpperBound.Entered)
	if answer.Other != nil {
		agree(t, "the other", want.Series[len(first)], answer.Other.Series, answer.UpperBound.OtherPeaks, answer.UpperBound.Entered)
	}
	checkLimits(t, db, request, answer, tasks, exact)
}

// agree compares two series, of which some numbers may be upper bounds.
func agree(t failer, name string, want, got concurrency.Series, peaks, entered bool) {
	t.Helper()
	bound := func(what string, want, got []int64) {
		t.Helper()
		for i := range want {
			if got[i] < want[i] {
				t.Fatalf("%s: bucket %d %s is %d, and the upper bound is %d", name, i, what, want[i], got[i])
			}
		}
	}
	if peaks {
		bound("peak", append(slices.Clone(want.Peak), want.WindowPeak), append(slices.Clone(got.Peak), got.WindowPeak))
		want.Peak, want.PeakAt, want.WindowPeak, want.WindowPeakAt = got.Peak, got.PeakAt, got.WindowPeak, got.WindowPeakAt
	}
	if entered {
		bound("entered", want.Entered, got.Entered)
		want.Entered = got.Entered
	}
	if d := diff.Diff(want, got); d != "" {
		t.Fatalf("%s (-want +got):\n%s", name, d)
	}
}

func checkLimits(
	t *rapid.T, db store.Store, request timeline.Request, answer timeline.Answer, tasks []jobmon.TaskHistory, exact bool,
) {
	t.Helper()
	var stored []store.Limit
	names := map[int64]string{}
	err := db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) error {
		known, err := snapshot.TemplateNames(ctx, request.WorkflowID)
		if err != nil {
			return err
		}
		for _, template := range known {
			names[template.ID] = template.Name
		}
		stored, err = snapshot.Limits(ctx, request.WorkflowID)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	end := max(answer.Window.Start, min(answer.Window.End(), answer.Now))
	want := map[string][]concurrency.Step{"": nil}
	for _, limit := range stored {
		name := names[limit.TaskTemplateID]
		want[name] = append(want[name], concurrency.Step{From: limit.At, Limit: limit.MaxConcurrentlyRunning})
		if limit.At >= min(answer.Window.End(), answer.Now+1) {
			want[name] = want[name][:len(want[name])-1]
		}
	}
	if len(answer.Limits) != len(want) || answer.Limits[0].Template != "" {
		t.Fatalf("%d limits are told for %d scopes: %+v", len(answer.Limits), len(want), answer.Limits)
	}
	for _, limit := range answer.Limits {
		steps := want[limit.Template]
		saturation := concurrency.NewSaturation(concurrency.Active, answer.Window.Start, end, [][]concurrency.Step{nil}, steps)
		for _, change := range changesOf(tasks, func(string) int { return 0 }) {
			if err := saturation.Add(change); err != nil {
				t.Fatal(err)
			}
		}
		if limit.Template != "" {
			saturation = concurrency.NewSaturation(concurrency.Active, answer.Window.Start, end, [][]concurrency.Step{nil, steps}, nil)
			for _, change := range changesOf(tasks, func(name string) int { return slices.Index([]string{"", limit.Template}, name) }) {
				if change.Series > 0 {
					if err := saturation.Add(change); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		arrays, workflow := saturation.Result(true)
		expected := append(arrays, workflow)[1]
		if limit.Template == "" {
			expected = workflow
		}
		for len(steps) > 1 && steps[1].From <= answer.Window.Start {
			steps = steps[1:]
		}
		if !slices.Equal(steps, limit.Steps) {
			t.Fatalf("%q: steps %v, want %v", limit.Template, limit.Steps, steps)
		}
		if !limit.Known || limit.Elapsed != end-answer.Window.Start || exact && limit.AtLimit.Resolution > 0 ||
			limit.AtLimit.Micros < expected.Micros || limit.AtLimit.Resolution == 0 && limit.AtLimit.Micros > expected.Micros {
			t.Fatalf("%q was at its limit for %d us of %d, and the answer says %+v", limit.Template, expected.Micros,
				end-answer.Window.Start, limit)
		}
	}
}

// Before the roll-up, after it, and when the rows are gone.
func TestOtherAndLimitsAreThoseOfAllRows(t *testing.T) {
	db := open(t)
	roll := upkeep.NewRollUp(db, quiet)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		tasks := lives(t, noon)
		id := load(t, db, fmt.Sprint("run ", number), tasks...)
		limits(t, db, id, noon)
		ask := func() timeline.Request {
			request := requests(t, id, noon)
			request.Top, request.Limits = rapid.IntRange(1, 3).Draw(t, "top"), true
			return request
		}
		checkOther(t, db, ask(), tasks, true)
		if err := roll.Pass(context.Background()); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			checkOther(t, db, ask(), tasks, true)
		}
		forgetRows(t, db, id, noon+400*day)
		for range 3 {
			request := ask()
			// What happens now is always read from rows.
			if request.Bucket%minute == 0 && request.Start%minute == 0 && *request.End < noon+200*day {
				checkOther(t, db, request, tasks, false)
			}
		}
	})
}
