package storetest

import (
	"cmp"
	"context"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// stays returns those of a model's stays that a filter selects, by (Since, TaskID).
func (m *model) stays(filter store.StayFilter) []store.Stay {
	var found []store.Stay
	for id, life := range m.lives {
		for i, move := range life.moves {
			stay := store.Stay{TaskID: id, TaskTemplateID: life.template, Status: move.To, Since: move.At}
			if i+1 < len(life.moves) {
				stay.Until = life.moves[i+1].At
			}
			contains := stay.Since <= filter.At && (i+1 == len(life.moves) || stay.Until > filter.At)
			if contains && slices.Contains(filter.Statuses, stay.Status) &&
				(len(filter.TaskTemplateIDs) == 0 || slices.Contains(filter.TaskTemplateIDs, life.template)) {
				found = append(found, stay)
			}
		}
	}
	slices.SortFunc(found, byStayKey)
	return found
}

func byStayKey(a, b store.Stay) int {
	return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.TaskID, b.TaskID))
}

func isOver(s store.Stay) bool { return s.Until != 0 }

// only returns the stays that are chosen.
func only(stays []store.Stay, chosen func(s store.Stay) bool) []store.Stay {
	return slices.DeleteFunc(slices.Clone(stays), func(s store.Stay) bool { return !chosen(s) })
}

// upTo returns the first of some rows.
func upTo[T any](rows []T, most int) []T { return rows[:min(most, len(rows))] }

// compareStays asks the store and the model the same. gone says that rows are removed, so that beginnings
// cannot be asked for.
func (m *model) compareStays(f *fixture, filter store.StayFilter, after store.StayKey, from, before int64, most int, gone bool) {
	f.Helper()
	all := m.stays(filter)
	open := only(all, func(s store.Stay) bool { return !isOver(s) })
	next := func(s store.Stay) bool { return byStayKey(s, store.Stay{Since: after.Since, TaskID: after.TaskID}) > 0 }
	f.view(func(ctx context.Context, view store.Snapshot) error {
		got, err := view.OpenStays(ctx, filter, after, most)
		f.ok(err)
		equal(f, "open stays", got, upTo(only(open, next), most))
		count, err := view.CountOpenStays(ctx, filter)
		f.ok(err)
		if count != int64(len(open)) {
			f.Errorf("%d open stays are counted, want %d", count, len(open))
		}

		want := only(all, func(s store.Stay) bool { return isOver(s) && s.Until >= from && s.Until < before })
		got, err = gather(view.EndedStays(ctx, filter, from, before, math.MaxInt32))
		f.ok(err)
		if !slices.IsSortedFunc(got, func(a, b store.Stay) int { return cmp.Compare(a.Until, b.Until) }) {
			f.Errorf("ended stays are out of order: %+v", got)
		}
		some, err := gather(view.EndedStays(ctx, filter, from, before, int64(most)))
		f.ok(err)
		if len(some) != min(most, len(want)) || len(some) > 0 && some[len(some)-1].Until != got[len(some)-1].Until {
			f.Errorf("the first %d of the ended stays %+v are %+v", most, got, some)
		}
		slices.SortFunc(got, byStayKey)
		equal(f, "ended stays", got, want)

		if gone {
			return nil
		}
		got, err = view.BegunStays(ctx, filter, after, from, before, most)
		begun := only(all, func(s store.Stay) bool { return next(s) && s.Since >= from && s.Since < before })
		equal(f, "begun stays", got, upTo(begun, most))
		return err
	})
}

var stayTests = map[string]func(t *testing.T, s store.Store){
	"StaysOfRandomHistories": func(t *testing.T, s store.Store) {
		rapid.Check(t, func(t *rapid.T) {
			f, other := newFixture(t, s, newName(), 0), newFixture(t, s, newName(), 3)
			first, second := f.template, f.newTemplate("second")
			arrays := map[int64]int64{first.ID: f.array, second.ID: f.newArray(second.ID)}
			// Few instants, so that many fall together and some go back.
			instants := rapid.Int64Range(begin, begin+12)
			m := model{lives: map[int64]*life{}}
			for range rapid.IntRange(1, 15).Draw(t, "steps") {
				at := instants.Draw(t, "at")
				if len(m.tasks) == 0 || rapid.IntRange(0, 3).Draw(t, "add") == 0 {
					f.template = rapid.SampledFrom([]store.TaskTemplateVersion{first, second}).Draw(t, "template")
					f.array = arrays[f.template.ID]
					tasks := f.newTasks(rapid.IntRange(1, 4).Draw(t, "tasks"))
					f.update(func(ctx context.Context, tx store.Tx) error {
						ids, err := tx.InsertTasks(ctx, tasks, at)
						f.ok(err)
						m.add(f.template.TaskTemplateID, tasks, ids, at)
						return nil
					})
					continue
				}
				move := store.TaskMove{
					IDs: rapid.SliceOfNDistinct(rapid.SampledFrom(taskIDs(m.tasks)), 1, len(m.tasks), rapid.ID[int64]).Draw(t, "ids"),
					To:  rapid.SampledFrom(jobmon.TaskStatuses()[:4]).Draw(t, "to"), At: at,
				}
				f.update(func(ctx context.Context, tx store.Tx) error { return tx.MoveTasks(ctx, move) })
				m.move(move)
			}
			other.move(begin+3, jobmon.TaskQueued, other.tasks...)
			for range 6 {
				filter := store.StayFilter{
					WorkflowID: f.workflow, At: rapid.Int64Range(begin-2, begin+14).Draw(t, "instant"),
					Statuses: rapid.SliceOfNDistinct(rapid.SampledFrom(jobmon.TaskStatuses()), 1, 4, rapid.ID[jobmon.TaskStatus]).
						Draw(t, "statuses"),
					TaskTemplateIDs: rapid.SampledFrom([][]int64{
						nil, {first.TaskTemplateID}, {second.TaskTemplateID, first.TaskTemplateID},
					}).Draw(t, "templates"),
				}
				after := rapid.SampledFrom([]store.StayKey{
					{}, {Since: instants.Draw(t, "since"), TaskID: rapid.SampledFrom(taskIDs(m.tasks)).Draw(t, "id")},
				}).Draw(t, "after")
				from, before := instants.Draw(t, "from"), rapid.Int64Range(begin, begin+14).Draw(t, "before")
				m.compareStays(f, filter, after, from, before, rapid.IntRange(1, 6).Draw(t, "most"), false)
				m.compareStays(f, filter, after, 0, math.MaxInt64, 1000, false)
			}
			// What is over is told of by what ended it.
			filter := store.StayFilter{WorkflowID: f.workflow, At: instants.Draw(t, "last"), Statuses: jobmon.TaskStatuses()}
			f.remove(store.TransitionFilter{WorkflowID: f.workflow, Before: filter.At + 1}, 1000, m.rowsBefore(filter.At+1))
			m.compareStays(f, filter, store.StayKey{}, 0, math.MaxInt64, 1000, true)
		})
	},

	"ListsOfStaysAreReadPageByPage": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 7)
		f.move(begin+1, jobmon.TaskQueued, f.tasks[:5]...)
		f.move(begin+2, jobmon.TaskQueued, f.tasks[5:]...)
		filter := store.StayFilter{WorkflowID: f.workflow, At: begin + 5, Statuses: []jobmon.TaskStatus{jobmon.TaskQueued}}
		for what, page := range map[string]func(ctx context.Context, view store.Snapshot, after store.StayKey) ([]store.Stay, error){
			"open": func(ctx context.Context, view store.Snapshot, after store.StayKey) ([]store.Stay, error) {
				return view.OpenStays(ctx, filter, after, 3)
			},
			"begun": func(ctx context.Context, view store.Snapshot, after store.StayKey) ([]store.Stay, error) {
				return view.BegunStays(ctx, filter, after, 0, math.MaxInt64, 3)
			},
		} {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				var ids []int64
				after := store.StayKey{}
				for _, want := range []int{3, 3, 1, 0} {
					stays, err := page(ctx, view, after)
					f.ok(err)
					if len(stays) != want {
						t.Fatalf("%s: a page of %d, want %d", what, len(stays), want)
					}
					for _, stay := range stays {
						ids, after = append(ids, stay.TaskID), stay.Key()
					}
				}
				equal(t, what, ids, f.tasks)
				return nil
			})
		}
	},

	"AnImportThatIsNotPublishedHasNoStays": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 0)
		id, err := s.BeginImport(t.Context(), someRun)
		f.ok(err)
		f.ok(s.ImportTasks(t.Context(), id, someTasks(0, 5)))
		filter := store.StayFilter{WorkflowID: id, At: begin + 12, Statuses: jobmon.TaskStatuses()}
		stays := func() (open, begun, ended int, count int64) {
			f.view(func(ctx context.Context, view store.Snapshot) error {
				found, err := view.OpenStays(ctx, filter, store.StayKey{}, 100)
				f.ok(err)
				open = len(found)
				found, err = view.BegunStays(ctx, filter, store.StayKey{}, 0, math.MaxInt64, 100)
				f.ok(err)
				begun = len(found)
				found, err = gather(view.EndedStays(ctx, filter, 0, math.MaxInt64, 100))
				f.ok(err)
				ended = len(found)
				count, err = view.CountOpenStays(ctx, filter)
				return err
			})
			return open, begun, ended, count
		}
		if open, begun, ended, count := stays(); open+begun+ended != 0 || count != 0 {
			t.Errorf("before it is published: %d, %d, %d and %d", open, begun, ended, count)
		}
		f.ok(s.PublishImport(t.Context(), id, jobmon.WorkflowDone))
		if open, begun, ended, count := stays(); open+ended != 5 || begun != 5 || int64(open) != count {
			t.Errorf("after it is published: %d, %d, %d and %d", open, begun, ended, count)
		}
	},

	"TransitionsOfSomeTasks": func(t *testing.T, s store.Store) {
		f, other := newFixture(t, s, "a", 4), newFixture(t, s, "b", 1)
		f.move(begin+2, jobmon.TaskQueued, f.tasks...)
		f.move(begin+2, jobmon.TaskInstantiating, f.tasks[1], f.tasks[3])
		asked := []int64{f.tasks[3], f.tasks[0], other.tasks[0], 1 << 40}
		want := slices.DeleteFunc(append(f.history(), other.history()...), func(row jobmon.Transition) bool {
			return !slices.Contains(asked, row.TaskID)
		})
		slices.SortFunc(want, func(a, b jobmon.Transition) int {
			return cmp.Or(cmp.Compare(a.TaskID, b.TaskID), cmp.Compare(a.At, b.At), cmp.Compare(a.ID, b.ID))
		})
		f.view(func(ctx context.Context, view store.Snapshot) error {
			got, err := gather(view.TransitionsOf(ctx, asked))
			f.ok(err)
			equal(t, "rows", got, want)
			got, err = gather(view.TransitionsOf(ctx, nil))
			equal(t, "rows of no task", got, nil)
			return err
		})
	},

	"WhereAttemptsRan": func(t *testing.T, s store.Store) {
		f := newFixture(t, s, "a", 3)
		f.queue(begin, f.tasks[2], f.tasks[0])
		f.queue(begin+1, f.tasks[2])
		f.queue(begin+1, f.tasks[1])
		node := "node 🌊"
		ids := f.instances(store.InstanceFilter{TaskIDs: []int64{f.tasks[2]}})
		f.update(func(ctx context.Context, tx store.Tx) error {
			return tx.MoveInstances(ctx, store.InstanceMove{
				IDs: []int64{ids[0].ID}, To: jobmon.InstanceRunning, At: begin + 2, Report: store.InstanceReport{Nodename: &node},
			})
		})
		f.view(func(ctx context.Context, view store.Snapshot) error {
			got, err := gather(view.TaskNodes(ctx, []int64{f.tasks[2], f.tasks[0]}))
			f.ok(err)
			equal(t, "nodes", got, []store.TaskNode{{TaskID: f.tasks[0]}, {TaskID: f.tasks[2], Nodename: node}, {TaskID: f.tasks[2]}})
			got, err = gather(view.TaskNodes(ctx, nil))
			equal(t, "nodes of no task", got, nil)
			return err
		})
	},
}

// rowsBefore counts the rows before an instant.
func (m *model) rowsBefore(at int64) (count int64) {
	for _, row := range m.rows {
		if row.At < at {
			count++
		}
	}
	return count
}
