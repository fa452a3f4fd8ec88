package upkeep_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

// clocked is a store whose clock stands still where a test wants it.
type clocked struct {
	store.Store

	now int64
}

func (c clocked) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	return c.Store.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		return read(ctx, clockedSnapshot{snapshot, c.now})
	})
}

type clockedSnapshot struct {
	store.Snapshot

	now int64
}

func (c clockedSnapshot) Now(context.Context) (int64, error) { return c.now, nil }

// newRetention returns a retention whose passes a person has confirmed, on a server that has the database's clock.
func newRetention(db upkeep.Database, log *slog.Logger, rows, blocks time.Duration) (*upkeep.Retention, error) {
	retention, err := upkeep.NewRetention(db, log, rows, blocks)
	if err != nil {
		return nil, err
	}
	return retention.Confirm().WithClock(clockOf(db)), nil
}

// clockOf returns the clock of a database.
func clockOf(db store.Reader) func() time.Time {
	return func() (now time.Time) {
		err := db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) error {
			at, err := snapshot.Now(ctx)
			now = time.UnixMicro(at)
			return err
		})
		if err != nil {
			panic(err)
		}
		return now
	}
}

// lone is a store that lists one workflow and no other: a test that adds one after the other would have retention
// go through all of them again each time.
type lone struct {
	store.Store

	id int64
}

func (l lone) View(ctx context.Context, read func(ctx context.Context, snapshot store.Snapshot) error) error {
	return l.Store.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		return read(ctx, loneSnapshot{snapshot, l.id})
	})
}

type loneSnapshot struct {
	store.Snapshot

	id int64
}

func (l loneSnapshot) Workflows(ctx context.Context, _ store.WorkflowFilter) ([]store.WorkflowInfo, error) {
	w, err := l.Workflow(ctx, l.id)
	return []store.WorkflowInfo{w}, err
}

// ahead is days after the tests run, so that an import is older than what it tells of.
func ahead() int64 {
	at := time.Now().UnixMicro() + 10*day
	return at - at%day + 12*hour
}

// forgetRows has nothing read any more of the rows before an instant.
func forgetRows(t failer, db store.Store, id, before int64) {
	t.Helper()
	err := db.Maintain(context.Background(), func(ctx context.Context, tx store.UpkeepTx) error {
		h, err := tx.LockHorizon(ctx, id)
		if err != nil {
			return err
		}
		h.RowsFrom = before
		return tx.SaveHorizon(ctx, h)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func loadToExpire(t failer, db store.Store, name string, tasks []jobmon.TaskHistory) int64 {
	t.Helper()
	id, err := ledger.New(db, quiet).
		Import(context.Background(), store.Import{Name: name, Engine: "test", SourceHash: name, Expire: true}, tasks, nil)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func horizonOf(t failer, db store.Reader, id int64) (h store.Horizon) {
	t.Helper()
	err := db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) (err error) {
		h, err = snapshot.Horizon(ctx, id)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func pass(t failer, passes ...func(context.Context) error) {
	t.Helper()
	for _, pass := range passes {
		if err := pass(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
}

func verified(t failer, db upkeep.Database, id int64, when string) upkeep.Report {
	t.Helper()
	report, err := upkeep.NewVerifier(db, quiet).Workflow(context.Background(), id)
	if err != nil {
		t.Fatal(err)
	}
	if report.Found > 0 {
		t.Fatalf("%s: the verification found %v", when, report.Defects)
	}
	return report
}

// Whatever retention has removed, an answer is the engine's over all rows that there ever were, or a
// refusal that says from when on there is one.
func TestAnswersOutliveTheRows(t *testing.T) {
	base := ahead()
	db := clocked{open(t), base + 300*day}
	line, roll := timeline.New(db, nil), upkeep.NewRollUp(db, quiet)
	number, bounds, refusals, answers := 0, 0, 0, 0
	someChecks(t, func(t *rapid.T) {
		number++
		tasks := lives(t, base)
		id := loadToExpire(t, db, fmt.Sprint("run ", number), tasks)
		pass(t, roll.Pass)
		unit := rapid.SampledFrom([]int64{second, hour, day}).Draw(t, "unit")
		cut := base + rapid.Int64Range(-100, 100).Draw(t, "cut")*unit
		cut2 := cut - rapid.Int64Range(0, 50).Draw(t, "and cells")*rapid.SampledFrom([]int64{hour, day}).Draw(t, "unit of cells")
		age := func(at int64) time.Duration { return time.Duration(db.now-max(at, base-9*day)) * time.Microsecond }
		retention, err := newRetention(lone{db, id}, quiet, age(cut), age(cut2))
		if err != nil {
			t.Fatal(err)
		}
		pass(t, retention.Pass)
		horizon := horizonOf(t, db, id)
		verified(t, db, id, "after retention")
		for range 6 {
			request := requests(t, id, base)
			answer, err := line.Concurrency(context.Background(), request)
			start := concurrency.Align(request.Start, *request.End, request.Bucket).Start
			switch {
			case start < horizon.DataFrom:
				refused(t, err, "start", "data_from")
				refusals++
				continue
			case start < horizon.RowsFrom && request.Bucket < minute:
				refused(t, err, "granularity", "rows_from")
				refusals++
				continue
			case err != nil:
				t.Fatalf("%+v, %+v: %v", horizon, request, err)
			}
			answers++
			if answer.UpperBound.SeriesPeaks {
				bounds++
			}
			atLeast(t, answer, counted(t, tasks, answer, request.Statuses))
		}
		if err := db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) error {
			w, err := snapshot.Workflow(ctx, id)
			first, last := span(tasks)
			if w.FirstAt != first || w.LastAt != last {
				t.Fatalf("the workflow goes from %d to %d, want %d to %d", w.FirstAt, w.LastAt, first, last)
			}
			left, err2 := snapshot.CountTransitions(ctx, store.TransitionFilter{WorkflowID: id, Before: horizon.RowsFrom}, 10)
			if err2 != nil || left > 0 {
				t.Fatalf("%d rows are left before %d: %v", left, horizon.RowsFrom, err2)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	})
	metAllf(t, bounds > 0 && refusals > 0 && answers > 0, "%d answers with upper bounds, %d refusals and %d answers", bounds, refusals, answers)
}

func span(tasks []jobmon.TaskHistory) (first, last int64) {
	first = tasks[0].Moves[0].At
	for _, task := range tasks {
		first = min(first, task.Moves[0].At)
		last = max(last, task.Moves[len(task.Moves)-1].At)
	}
	return first, last
}

func refused(t failer, err error, field, part string) {
	t.Helper()
	known, ok := err.(*jobmon.Error) //nolint:errorlint // the outermost error is meant
	if !ok || known.Code != jobmon.CodeInvalid || known.Field != field || !strings.Contains(known.Message, part) {
		t.Fatalf("error %v is no refusal of %s that names %s", err, field, part)
	}
}

// atLeast compares an answer with the exact one: where it says that a number is an upper bound, it may be
// greater.
func atLeast(t failer, answer timeline.Answer, want concurrency.Result) {
	t.Helper()
	compare := func(what string, got, want concurrency.Series, peaks bool) {
		if peaks {
			for i := range got.Peak {
				if got.Peak[i] < want.Peak[i] {
					t.Fatalf("%s: bucket %d: peak %d, and the true one is %d", what, i, got.Peak[i], want.Peak[i])
				}
			}
			if got.WindowPeak != slices.Max(append([]int64{0}, got.Peak...)) {
				t.Fatalf("%s: the window's peak is %d of %v", what, got.WindowPeak, got.Peak)
			}
			got.Peak, got.PeakAt, got.WindowPeak, got.WindowPeakAt = want.Peak, want.PeakAt, want.WindowPeak, want.WindowPeakAt
		}
		if answer.UpperBound.Entered {
			for i := range got.Entered {
				if got.Entered[i] < want.Entered[i] {
					t.Fatalf("%s: bucket %d: entered %d times, and in truth %d", what, i, got.Entered[i], want.Entered[i])
				}
			}
			got.Entered = want.Entered
		}
		if diff := difference(want, got); diff != "" {
			t.Fatalf("%s (-want +got):\n%s", what, diff)
		}
	}
	for i, name := range answer.Templates {
		compare(name, answer.Series[i], want.Series[i], answer.UpperBound.SeriesPeaks)
	}
	compare("total", answer.Total, want.Total, answer.UpperBound.TotalPeaks)
}

// Of some templates together, cells give all but the peak, and of a single one everything.
func TestSomeTemplatesAfterTheRows(t *testing.T) {
	base := ahead()
	db := clocked{open(t), base + 300*day}
	life := func(name, template string, from, to int64) jobmon.TaskHistory {
		return jobmon.TaskHistory{Name: name, Template: template, Attempts: 1, Moves: []jobmon.Move{
			{To: jobmon.TaskRegistering, At: base}, {To: jobmon.TaskQueued, At: base}, {To: jobmon.TaskInstantiating, At: base},
			{To: jobmon.TaskLaunched, At: base}, {To: jobmon.TaskRunning, At: base + from*second}, {To: jobmon.TaskDone, At: base + to*second},
		}}
	}
	id := loadToExpire(t, db, "run", []jobmon.TaskHistory{life("1", "a", 5, 10), life("2", "b", 20, 30), life("3", "c", 5, 30)})
	retention, err := newRetention(db, quiet, 200*24*time.Hour, 0)
	if err != nil {
		t.Fatal(err)
	}
	pass(t, upkeep.NewRollUp(db, quiet).Pass, retention.Pass)
	line := timeline.New(db, nil)
	for _, c := range []struct {
		templates []string
		peak      int64
		bound     bool
	}{{nil, 2, false}, {[]string{"a"}, 1, false}, {[]string{"a", "b"}, 2, true}, {[]string{"a", "b", "c"}, 2, false}} {
		answer, err := line.Concurrency(context.Background(), timeline.Request{
			WorkflowID: id, Start: base, End: new(base + minute), Bucket: minute, Templates: c.templates, Statuses: concurrency.Of(jobmon.TaskRunning),
		})
		if err != nil {
			t.Fatal(err)
		}
		if answer.Total.WindowPeak != c.peak || answer.UpperBound != (timeline.UpperBound{TotalPeaks: c.bound}) {
			t.Errorf("%v: peak %d, %+v", c.templates, answer.Total.WindowPeak, answer.UpperBound)
		}
	}
}

func TestWhatRetentionKeeps(t *testing.T) {
	base := ahead()
	db := clocked{open(t), base + 300*day}
	task := jobmon.TaskHistory{Name: "1", Template: "a", Attempts: 1, Moves: []jobmon.Move{
		{To: jobmon.TaskRegistering, At: base - 20*day}, {To: jobmon.TaskDone, At: base},
	}}
	kept, expiring := load(t, db, "kept", task), loadToExpire(t, db, "expiring", []jobmon.TaskHistory{task})
	year := 365 * 24 * time.Hour
	for _, c := range []struct {
		name         string
		rows, blocks time.Duration
		rolled       bool
		removed      int64
		from         int64
	}{
		{"what is not summed up stays", 200 * 24 * time.Hour, 0, false, 0, 0},
		{"what is young stays", year, 0, true, 0, 0},
		{"nothing is removed for good", 0, 0, true, 0, 0},
		{"the age of an import counts from the import", time.Duration(db.now-(base-15*day)) * time.Microsecond, 0, true, 0, 0},
		{"the rest goes", 200 * 24 * time.Hour, 0, true, 2, base - base%hour + 12*hour},
	} {
		retention, err := newRetention(db, quiet, c.rows, c.blocks)
		if err != nil {
			t.Fatal(err)
		}
		if c.rolled {
			pass(t, upkeep.NewRollUp(db, quiet).Pass)
		}
		plan, err := retention.Plan(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		pass(t, retention.Pass)
		if got := retention.Progress().Rows; got != c.removed {
			t.Errorf("%s: %d rows were removed, want %d", c.name, got, c.removed)
		}
		if planned := len(plan.Removals) > 0; c.rolled && planned != (c.removed > 0) {
			t.Errorf("%s: the dry run says %+v", c.name, plan)
		}
		if got := horizonOf(t, db, expiring).RowsFrom; got != c.from {
			t.Errorf("%s: rows from %d, want %d", c.name, got, c.from)
		}
		if got := horizonOf(t, db, kept); got.RowsFrom != 0 || got.DataFrom != 0 {
			t.Errorf("%s: something of a run that is kept was removed: %+v", c.name, got)
		}
	}
}

func TestRetentionThatWouldLoseSomething(t *testing.T) {
	db := open(t)
	for _, c := range []struct {
		rows, blocks time.Duration
		field        string
	}{
		{time.Hour, 0, "audit_retention"}, {-1, 0, "audit_retention"}, {0, 24 * time.Hour, "block_retention"},
		{48 * time.Hour, 24 * time.Hour, "block_retention"}, {48 * time.Hour, -1, "block_retention"},
		{0, 0, ""}, {upkeep.MinRetention, 0, ""}, {48 * time.Hour, 48 * time.Hour, ""},
	} {
		_, err := newRetention(db, quiet, c.rows, c.blocks)
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%v, %v: %v", c.rows, c.blocks, err)
		case c.field != "":
			refused(t, err, c.field, "choose")
		}
	}
}
