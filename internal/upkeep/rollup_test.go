package upkeep_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
	"tasktide/internal/timeline"
	"tasktide/internal/upkeep"
)

const (
	second int64 = 1_000_000
	minute       = 60 * second
	hour         = 60 * minute
	day          = 24 * hour
)

// noon is a whole hour on a day long gone.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMicro()

var quiet = slog.New(slog.DiscardHandler)

func TestMain(m *testing.M) { os.Exit(testdb.Main(m)) }

func open(t *testing.T) store.Store {
	t.Helper()
	db := testdb.Open(t)
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// failer is what testing.T and rapid.T have in common.
type failer interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func load(t failer, db store.Store, name string, tasks ...jobmon.TaskHistory) int64 {
	t.Helper()
	id, err := ledger.New(db, quiet).
		Import(context.Background(), store.Import{Name: name, Engine: "test", SourceHash: name}, tasks, nil)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// lives generates tasks that live around an instant, some for seconds and some for months.
func lives(t *rapid.T, around int64) []jobmon.TaskHistory {
	paths := []string{"GQIORD", "GQIOREQIORD", "GQIOREF", "GD", "GQIOREAQIOR", "GQ"}
	pauses := []int64{0, 1, 900, second, 20 * second, minute, minute - 1, hour, 3 * hour, day, 40 * day}
	var tasks []jobmon.TaskHistory
	for i := range rapid.IntRange(1, 12).Draw(t, "tasks") {
		at := around + rapid.Int64Range(-90, 90).Draw(t, "begin")*rapid.SampledFrom([]int64{second, minute, hour}).Draw(t, "unit")
		task := jobmon.TaskHistory{
			Name: fmt.Sprint(i), Template: rapid.SampledFrom([]string{"a", "A", "a "}).Draw(t, "template"), Attempts: 1,
		}
		for _, to := range rapid.SampledFrom(paths).Draw(t, "path") {
			task.Moves = append(task.Moves, jobmon.Move{To: jobmon.TaskStatus(to), At: at})
			at += rapid.SampledFrom(pauses).Draw(t, "pause")
		}
		tasks = append(tasks, task)
	}
	return tasks
}

// counted lets the engine count all the moves of tasks at once.
func counted(t failer, tasks []jobmon.TaskHistory, answer timeline.Answer, statuses concurrency.StatusSet) concurrency.Result {
	t.Helper()
	var changes []concurrency.Change
	for _, task := range tasks {
		series := slices.Index(answer.Templates, task.Template)
		if series < 0 {
			continue
		}
		from := jobmon.TaskStatus(0)
		for _, move := range task.Moves {
			changes = append(changes, concurrency.Change{At: move.At, Series: series, From: from, To: move.To})
			from = move.To
		}
	}
	want, err := concurrency.Count(answer.Window, statuses, len(answer.Templates), answer.Now, changes)
	if err != nil {
		t.Fatal(err)
	}
	return want
}

// requests generates windows of some minutes to some months around an instant.
func requests(t *rapid.T, id, around int64) timeline.Request {
	bucket := rapid.SampledFrom([]int64{
		second, 30 * second, minute, 5 * minute, 10 * minute, 30 * minute, hour, 6 * hour, day,
	}).Draw(t, "bucket")
	start := around + rapid.Int64Range(-3000, 3000).Draw(t, "start")*rapid.SampledFrom([]int64{second, minute, hour}).Draw(t, "unit")
	request := timeline.Request{
		WorkflowID: id, Start: start, Bucket: bucket,
		End:      new(start + rapid.Int64Range(1, 300).Draw(t, "buckets")*bucket),
		Statuses: rapid.SampledFrom(concurrency.Kinds()).Draw(t, "kind").Set,
	}
	if rapid.Bool().Draw(t, "any union") {
		request.Statuses = concurrency.StatusSet(rapid.Uint32().Draw(t, "statuses")) & concurrency.All
	}
	return request
}

// difference tells where a value is not what is wanted, and nothing when it is, which is found out much sooner.
func difference(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got)
}

func check(t failer, line *timeline.Timeline, request timeline.Request, tasks []jobmon.TaskHistory, when string) {
	t.Helper()
	answer, err := line.Concurrency(context.Background(), request)
	if err != nil {
		t.Fatal(err)
	}
	if diff := difference(counted(t, tasks, answer, request.Statuses), answer.Result); diff != "" {
		t.Fatalf("%s: %+v: the answer differs from the engine's over all rows (-want +got):\n%s", when, request, diff)
	}
}

// Whatever part of the rows is summed up, the answer is the engine's over all rows at once.
func TestAnswersAreThoseOfAllRows(t *testing.T) {
	db := open(t)
	line, roll := timeline.New(db, nil), upkeep.NewRollUp(db, quiet)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		tasks := lives(t, noon)
		id := load(t, db, fmt.Sprint("run ", number), tasks...)
		request := requests(t, id, noon)
		check(t, line, request, tasks, "before the roll-up")
		if err := roll.Pass(context.Background()); err != nil {
			t.Fatal(err)
		}
		check(t, line, request, tasks, "after it")
		for range 3 {
			check(t, line, requests(t, id, noon), tasks, "after it")
		}
		var again []int64
		for _, task := range tasks {
			for _, move := range task.Moves {
				if rapid.Bool().Draw(t, "mark") {
					again = append(again, move.At)
				}
			}
		}
		err := db.Maintain(context.Background(), func(ctx context.Context, tx store.UpkeepTx) error { return tx.AddMarks(ctx, id, again) })
		if err != nil {
			t.Fatal(err)
		}
		check(t, line, request, tasks, "with marks")
		check(t, line, requests(t, id, noon), tasks, "with marks")
	})
}
