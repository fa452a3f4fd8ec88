package storetest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// changes reads a page of the audit.
func (f *fixture) changes(filter store.ChangeFilter, page store.ChangePage) (rows []store.StatusChange, next *store.ChangeKey) {
	f.Helper()
	f.view(func(ctx context.Context, view store.Snapshot) (err error) {
		rows, next, err = view.StatusChanges(ctx, filter, page)
		return err
	})
	return rows, next
}

// everyChange selects the whole audit of the workflow.
func (f *fixture) everyChange() store.ChangeFilter {
	return store.ChangeFilter{WorkflowID: f.workflow, Before: math.MaxInt64}
}

// byPlace orders rows as a page does.
func byPlace(descending bool) func(a, b store.ChangeKey) int {
	return func(a, b store.ChangeKey) int {
		order := cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
		if descending {
			return -order
		}
		return order
	}
}

func placeOf(row jobmon.Transition) store.ChangeKey { return store.ChangeKey{At: row.At, ID: row.ID} }

// matches says which rows a page is about, and which of these it has.
func matches(filter store.ChangeFilter, row jobmon.Transition) (looked, wanted bool) {
	in := func(status jobmon.TaskStatus, some []jobmon.TaskStatus) bool {
		return len(some) == 0 || slices.Contains(some, status)
	}
	looked = row.At >= filter.From && row.At < filter.Before && (filter.TaskID == 0 || row.TaskID == filter.TaskID)
	return looked, looked && in(row.From, filter.PreviousStatuses) && in(row.To, filter.NewStatuses) &&
		(len(filter.TaskTemplateIDs) == 0 || slices.Contains(filter.TaskTemplateIDs, row.TaskTemplateID))
}

// comparePage demands that a page is what the rows, in the order of the page, say: all that match from its
// beginning to the place where the next one begins, and no more than may be looked at.
func comparePage(
	f *fixture, rows []jobmon.Transition, filter store.ChangeFilter, page store.ChangePage, got []store.StatusChange, next *store.ChangeKey,
) {
	f.Helper()
	compare := byPlace(page.Descending)
	var want, have []jobmon.Transition
	looked := 0
	for _, row := range rows {
		if page.After != nil && compare(placeOf(row), *page.After) <= 0 || next != nil && compare(placeOf(row), *next) > 0 {
			continue
		}
		about, wanted := matches(filter, row)
		if about {
			looked++
		}
		if wanted {
			want = append(want, row)
		}
	}
	for _, row := range got {
		have = append(have, row.Transition)
	}
	equal(f, "page", have, want)
	if len(got) > page.Limit {
		f.Errorf("%d rows on a page of %d", len(got), page.Limit)
	}
	sparse := len(filter.TaskTemplateIDs)+len(filter.PreviousStatuses)+len(filter.NewStatuses) > 0
	if next != nil && len(got) < page.Limit && (!sparse || looked != page.Look) {
		f.Errorf("a page of %d with %d rows ended after %d were looked at, of %d", page.Limit, len(got), looked, page.Look)
	}
	if sparse && looked > page.Look {
		f.Errorf("%d rows were looked at, of %d", looked, page.Look)
	}
}

var changeTests = map[string]func(t *testing.T, s store.Store){
	"PagesAreTheWholeListWhileRowsArrive": func(t *testing.T, s store.Store) {
		rapid.Check(t, func(t *rapid.T) {
			f := newFixture(t, s, newName(), 4)
			other := newFixture(t, s, newName(), 1)
			templates := []int64{f.template.TaskTemplateID}
			f.template = f.newTemplate("second")
			f.array = f.newArray(f.template.ID)
			f.tasks = append(f.tasks, f.addTasks(2)...)
			templates = append(templates, f.template.TaskTemplateID)
			statuses := rapid.SampledFrom(jobmon.TaskStatuses())
			ids := rapid.SliceOfNDistinct(rapid.SampledFrom(f.tasks), 1, len(f.tasks), rapid.ID[int64])
			instants := rapid.Int64Range(begin, begin+6) // few, so that many fall together and some are earlier than the cursor
			move := func() { f.move(instants.Draw(t, "at"), statuses.Draw(t, "to"), ids.Draw(t, "ids")...) }
			for range rapid.IntRange(0, 8).Draw(t, "moves") {
				move()
			}
			other.move(begin+1, jobmon.TaskQueued, other.tasks...)
			some := func(name string) []jobmon.TaskStatus {
				return rapid.SliceOfNDistinct(statuses, 0, 3, rapid.ID[jobmon.TaskStatus]).Draw(t, name)
			}
			filter := store.ChangeFilter{
				WorkflowID:       f.workflow,
				From:             rapid.SampledFrom([]int64{math.MinInt64, 0, begin, begin + 2}).Draw(t, "from"),
				Before:           rapid.SampledFrom([]int64{math.MaxInt64, begin + 5, begin + 1}).Draw(t, "before"),
				TaskID:           rapid.SampledFrom([]int64{0, 0, 0, f.tasks[0], f.tasks[5], other.tasks[0]}).Draw(t, "task"),
				TaskTemplateIDs:  rapid.SliceOfNDistinct(rapid.SampledFrom(templates), 0, 2, rapid.ID[int64]).Draw(t, "templates"),
				PreviousStatuses: some("previous"), NewStatuses: some("new"),
			}
			page := store.ChangePage{
				Descending: rapid.Bool().Draw(t, "descending"),
				Limit:      rapid.IntRange(1, 5).Draw(t, "limit"), Look: rapid.SampledFrom([]int{1, 2, 7, 1000}).Draw(t, "look"),
			}
			for range 1000 {
				rows := f.history()
				slices.SortFunc(rows, func(a, b jobmon.Transition) int { return byPlace(page.Descending)(placeOf(a), placeOf(b)) })
				got, next := f.changes(filter, page)
				comparePage(f, rows, filter, page, got, next)
				if next == nil {
					return
				}
				page.After = next
				if rapid.IntRange(0, 3).Draw(t, "arrives") == 0 && len(rows) < 60 {
					move()
				}
			}
			t.Fatal("there is no end to the pages")
		})
	},

	"AChangeTellsOfItsTask": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.move(begin+10, jobmon.TaskQueued, f.tasks[1])
		rows, next := f.changes(f.everyChange(), store.ChangePage{Limit: 3, Look: 1})
		history := f.history()
		if len(rows) != 3 || next != nil {
			t.Fatalf("got %+v, and then %v", rows, next)
		}
		want := store.StatusChange{
			Transition: history[2], StoredAt: begin + 10, TaskName: "task 1", TaskTemplateName: "template a",
		}
		if rows[2] != want || rows[2].Key() != placeOf(history[2]) {
			t.Errorf("got %+v, want %+v", rows[2], want)
		}
		if before := rows[0]; before.From != 0 || before.PreviousAt != 0 || before.StoredAt != begin {
			t.Errorf("a creation is %+v", before)
		}
		none, next := f.changes(store.ChangeFilter{WorkflowID: f.workflow, From: store.MaxInstant + 1, Before: math.MaxInt64}, store.ChangePage{Limit: 1, Look: 1})
		if len(none) != 0 || next != nil {
			t.Errorf("after the last instant there are %v, then %v", none, next)
		}
	},

	"AnImportIsListedWhenItIsPublished": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		f.ok(s.ImportTasks(t.Context(), id, someTasks(0, 2)))
		f.workflow = id
		all := store.ChangePage{Limit: 1000, Look: 1000}
		for name, filter := range map[string]store.ChangeFilter{
			"all": f.everyChange(), "some": {WorkflowID: id, Before: math.MaxInt64, NewStatuses: []jobmon.TaskStatus{jobmon.TaskDone}},
		} {
			if rows, next := f.changes(filter, all); len(rows) > 0 || next != nil {
				t.Errorf("%s: while it is staged there are %+v, then %v", name, rows, next)
			}
		}
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
		rows, _ := f.changes(f.everyChange(), all)
		if len(rows) != 2*12 {
			t.Fatalf("%d rows", len(rows))
		}
		now := f.now()
		for _, row := range rows {
			if row.StoredAt <= row.At || row.StoredAt > now || !strings.EqualFold(row.TaskTemplateName, "align") || row.TaskName != "task 0" {
				t.Errorf("%+v, at %d", row, now)
			}
		}
	},

	"AttemptsAtATask": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		queue, first := int64(3), f.resources
		var err error
		f.queue(begin, f.tasks...)
		f.resources, err = s.AddTaskResources(t.Context(), store.TaskResources{QueueID: &queue, Type: "A", Requested: `{"cores": 2}`})
		f.ok(err)
		f.queue(begin+1, f.tasks[0])
		f.resources = first
		f.queue(begin+2, f.tasks[0])
		instances := f.instances(store.InstanceFilter{TaskIDs: f.tasks[:1]})
		text, submitted := "🌊 ", begin+5
		f.update(func(ctx context.Context, tx store.Tx) error {
			return tx.MoveInstances(ctx, store.InstanceMove{
				IDs: []int64{instances[1].ID}, To: jobmon.InstanceRunning, At: begin + 7, Report: store.InstanceReport{
					DistributorID: &text, Nodename: new("node"), Wallclock: new("1"), MaxRSS: new("2"), CPU: new("3"), SubmittedAt: &submitted,
				},
			})
		})
		attempts := func(taskID int64, most int) (found []store.TaskAttempt) {
			f.view(func(ctx context.Context, view store.Snapshot) (err error) {
				found, err = view.TaskAttempts(ctx, taskID, most)
				return err
			})
			return found
		}
		want := store.TaskAttempt{
			ID: instances[1].ID, RunID: f.run, Number: 2, Status: jobmon.InstanceRunning, StatusAt: begin + 7, SubmittedAt: submitted,
			Nodename: new("node"), DistributorID: &text, Wallclock: new("1"), MaxRSS: new("2"), CPU: new("3"),
			Queue: new("null.q"), Cluster: new("multiprocess"), Requested: new(`{"cores": 2}`),
		}
		got := attempts(f.tasks[0], 10)
		sameValues(t, "attempts", got[1:2], []store.TaskAttempt{want})
		bare := store.TaskAttempt{
			ID: instances[0].ID, RunID: f.run, Number: 1, Status: jobmon.InstanceQueued, StatusAt: begin, Requested: new("{}"),
		}
		last := bare
		last.ID, last.Number, last.StatusAt = instances[2].ID, 3, begin+2
		sameValues(t, "attempts", got, []store.TaskAttempt{bare, want, last})
		sameValues(t, "the latest", attempts(f.tasks[0], 2), []store.TaskAttempt{want, last})
		sameValues(t, "of no task", attempts(1<<40, 2), nil)
		if got := attempts(f.tasks[1], 1); len(got) != 1 || got[0].Number != 1 {
			t.Errorf("of another task: %+v", got)
		}
	},

	"ErrorsOfAttempts": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 2)
		f.queue(begin, f.tasks...)
		ids := instanceIDs(f.instances(store.InstanceFilter{RunID: f.run}))
		f.update(func(ctx context.Context, tx store.Tx) error {
			f.ok(tx.AppendInstanceErrors(ctx, ids, "both", begin+9))
			f.ok(tx.AppendInstanceErrors(ctx, ids[:1], "🌊", begin+3)) // later, and the clock was set back
			return tx.AppendInstanceErrors(ctx, ids[1:], "", begin+10)
		})
		both := []store.InstanceError{{InstanceID: ids[0], At: begin + 9, Description: "both"}, {InstanceID: ids[1], At: begin + 9, Description: "both"}}
		later := store.InstanceError{InstanceID: ids[0], At: begin + 3, Description: "🌊"}
		last := store.InstanceError{InstanceID: ids[1], At: begin + 10}
		for _, c := range []struct {
			name string
			ids  []int64
			most int
			want []store.InstanceError
		}{
			{"all", ids, 10, []store.InstanceError{both[0], both[1], later, last}},
			{"the latest", ids, 2, []store.InstanceError{later, last}},
			{"of one", ids[:1], 10, []store.InstanceError{both[0], later}},
			{"of none", nil, 10, nil},
			{"of an unknown one", []int64{1 << 40}, 10, nil},
		} {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				got, err := view.InstanceErrors(ctx, c.ids, c.most)
				equal(t, c.name, got, c.want)
				return err
			})
		}
	},

	"LongTextsAreCutOff": func(t *testing.T, s store.Store) {
		for _, character := range []string{"x", "🌊"} {
			for extra, cut := range []bool{false, true} {
				f := newFixture(t, s, newName(), 1)
				most := strings.Repeat(character, store.MaxShown)
				long := most + strings.Repeat(character, extra)
				var err error
				f.resources, err = s.AddTaskResources(t.Context(), store.TaskResources{Type: "O", Requested: long})
				f.ok(err)
				f.queue(begin, f.tasks...)
				f.update(func(ctx context.Context, tx store.Tx) error {
					ids := instanceIDs(f.instances(store.InstanceFilter{RunID: f.run}))
					f.ok(tx.AppendInstanceErrors(ctx, ids, long, begin))
					return tx.MoveInstances(ctx, store.InstanceMove{
						IDs: ids, To: jobmon.InstanceRunning, At: begin, Report: store.InstanceReport{CPU: &long},
					})
				})
				f.view(func(ctx context.Context, view store.Snapshot) error {
					attempts, err := view.TaskAttempts(ctx, f.tasks[0], 1)
					f.ok(err)
					if a := attempts[0]; *a.CPU != most || a.Cut != cut || (a.Requested == nil) != cut {
						t.Errorf("%d characters too many: an attempt with %d bytes, cut: %t, %t", extra, len(*a.CPU), a.Cut, a.Requested == nil)
					}
					failures, err := view.InstanceErrors(ctx, []int64{attempts[0].ID}, 1)
					if failures[0].Description != most || failures[0].Cut != cut {
						t.Errorf("%d characters too many: an error with %d bytes, cut: %t", extra, len(failures[0].Description), failures[0].Cut)
					}
					return err
				})
			}
		}
	},
}

// sameValues compares what holds pointers.
func sameValues[T any](t *testing.T, what string, got, want []T) {
	t.Helper()
	if diff := gocmp.Diff(got, want); diff != "" {
		t.Errorf("%s (-got +want):\n%s", what, diff)
	}
}
