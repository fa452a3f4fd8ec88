package timeline

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
)

// Whether a search goes through ends only, or soon through beginnings too, and in whatever strides: it finds
// the same page, which is that of a look at each task.
func TestEverySearchFindsTheSame(t *testing.T) {
	db := testdb.Open(t)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	const noon = 20_000 * 24 * hour
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		var tasks []jobmon.TaskHistory
		for i := range rapid.IntRange(1, 25).Draw(t, "tasks") {
			// Most are created together, and wait for their turn.
			at := noon + rapid.SampledFrom([]int64{0, 0, 0, 1, second, hour}).Draw(t, "created")
			task := jobmon.TaskHistory{Name: fmt.Sprint(i), Template: "a", Attempts: 1}
			for _, to := range rapid.SampledFrom([]string{"GQIORD", "GQIOREGQIORD", "GQ", "G"}).Draw(t, "path") {
				task.Moves = append(task.Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: at})
				at += rapid.Int64Range(0, 5).Draw(t, "pause") * rapid.SampledFrom([]int64{0, 1, second, minute, hour}).Draw(t, "unit")
			}
			tasks = append(tasks, task)
		}
		run := store.Import{Name: fmt.Sprint(number), Engine: "test", SourceHash: fmt.Sprint(number)}
		id, err := ledger.New(db, slog.New(slog.DiscardHandler)).Import(context.Background(), run, tasks, nil)
		if err != nil {
			t.Fatal(err)
		}
		moves := rapid.SampledFrom(tasks).Draw(t, "of").Moves
		at := rapid.SampledFrom(moves).Draw(t, "at").At + rapid.Int64Range(-1, 1).Draw(t, "beside")
		set := concurrency.StatusSet(rapid.Uint32().Draw(t, "statuses")) & concurrency.All
		if rapid.Bool().Draw(t, "waiting") {
			set = concurrency.Of(jobmon.TaskRegistering)
		}
		all := staysAt(t, db, id, at, set)
		after := store.StayKey{}
		if len(all) > 0 && rapid.Bool().Draw(t, "second page") {
			after = rapid.SampledFrom(all).Draw(t, "after").Key()
		}
		most := rapid.IntRange(1, 30).Draw(t, "most")
		want := slices.DeleteFunc(slices.Clone(all), func(s store.Stay) bool { return s.Key().Compare(after) <= 0 })
		want = want[:min(most, len(want))]
		view(t, db, func(ctx context.Context, snapshot store.Snapshot) error {
			workflow, err := snapshot.Workflow(ctx, id)
			if err != nil {
				return err
			}
			for _, s := range []search{
				{strideRows: strideRows, headStart: headStart},
				{strideRows: strideRows, headStart: 0, whole: true},
				{strideRows: 3, headStart: 1 << 40, whole: true},
				{strideRows: 8, headStart: 0},
				{strideRows: rapid.Int64Range(1, 40).Draw(t, "stride"), headStart: rapid.Int64Range(0, 20).Draw(t, "head start"), whole: true},
			} {
				s.snapshot, s.after, s.most, s.level, s.rows = snapshot, after, most, int64(len(all)), MaxTransitions
				s.first, s.last = workflow.FirstAt, workflow.LastAt
				s.filter = store.StayFilter{WorkflowID: id, At: at, Statuses: set.Statuses()}
				got, err := s.page(ctx)
				if err != nil {
					return err
				}
				if !slices.Equal(got, want) {
					t.Fatalf("with strides of %d rows and a head start of %d: got %v, want %v", s.strideRows, s.headStart, got, want)
				}
			}
			return nil
		})
	})
}

// staysAt looks at all transitions of each task.
func staysAt(t *rapid.T, db store.Reader, id, at int64, set concurrency.StatusSet) (stays []store.Stay) {
	view(t, db, func(ctx context.Context, snapshot store.Snapshot) error {
		last := map[int64]store.Stay{}
		for row, err := range snapshot.Transitions(ctx, store.TransitionFilter{WorkflowID: id, Before: store.MaxInstant}) {
			if err != nil {
				return err
			}
			stay := last[row.TaskID]
			if stay.Until == 0 && row.At > at {
				stay.Until = row.At
			} else if row.At <= at {
				stay = store.Stay{TaskID: row.TaskID, TaskTemplateID: row.TaskTemplateID, Status: row.To, Since: row.At}
			}
			last[row.TaskID] = stay
		}
		for _, stay := range last {
			if set.Has(stay.Status) {
				stays = append(stays, stay)
			}
		}
		return nil
	})
	slices.SortFunc(stays, func(a, b store.Stay) int {
		return cmp.Or(cmp.Compare(a.Since, b.Since), cmp.Compare(a.TaskID, b.TaskID))
	})
	return stays
}

func view(t *rapid.T, db store.Reader, read func(ctx context.Context, snapshot store.Snapshot) error) {
	t.Helper()
	if err := db.View(context.Background(), read); err != nil {
		t.Fatal(err)
	}
}
