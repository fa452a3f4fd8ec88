package timeline_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
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
)

const (
	second int64 = 1_000_000
	minute       = 60 * second
)

// noon is a whole hour on a day long gone.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).UnixMicro()

var running = concurrency.Of(jobmon.TaskRunning)

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
}

func load(t failer, db store.Store, name string, tasks ...jobmon.TaskHistory) int64 {
	t.Helper()
	id, err := ledger.New(db, slog.New(slog.DiscardHandler)).
		Import(context.Background(), store.Import{Name: name, Engine: "test", SourceHash: name}, tasks, nil)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// ran is a task that was queued at noon and ran from one second to another after it.
func ran(template string, from, to int64) jobmon.TaskHistory {
	start, end := noon+from*second, noon+to*second
	return jobmon.TaskHistory{Name: fmt.Sprintf("%s %d", template, from), Template: template, Attempts: 1, Moves: []jobmon.Move{
		{To: jobmon.TaskRegistering, At: min(noon, start)},
		{To: jobmon.TaskQueued, At: min(noon, start)},
		{To: jobmon.TaskInstantiating, At: start},
		{To: jobmon.TaskLaunched, At: start},
		{To: jobmon.TaskRunning, At: start},
		{To: jobmon.TaskDone, At: end},
	}}
}

func TestWindows(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", ran("a", -7200, 30), ran("a", 10, 100), ran("b", 20, 40))
	line := timeline.New(db, nil)
	for _, c := range []struct {
		name    string
		request timeline.Request
		window  concurrency.Window
		peaks   []int64
	}{
		{"whole buckets around the span", timeline.Request{Start: noon + 30*second, End: new(noon + 90*second), Bucket: minute},
			concurrency.Window{Start: noon, Bucket: minute, Count: 2}, []int64{3, 1}},
		{"a span that is whole already", timeline.Request{Start: noon, End: new(noon + minute), Bucket: minute},
			concurrency.Window{Start: noon, Bucket: minute, Count: 1}, []int64{3}},
		{"what began long before is counted", timeline.Request{Start: noon, End: new(noon + 5*second), Bucket: second},
			concurrency.Window{Start: noon, Bucket: second, Count: 5}, []int64{1, 1, 1, 1, 1}},
		{"one template", timeline.Request{Start: noon, End: new(noon + minute), Bucket: minute, Templates: []string{"b", "b"}},
			concurrency.Window{Start: noon, Bucket: minute, Count: 1}, []int64{1}},
		{"another status", timeline.Request{Start: noon, End: new(noon + minute), Bucket: minute, Statuses: concurrency.Pending},
			concurrency.Window{Start: noon, Bucket: minute, Count: 1}, []int64{2}},
		{"all of it, the last transition included", timeline.Request{All: true, Bucket: 60 * minute},
			concurrency.Window{Start: noon - 120*minute, Bucket: 60 * minute, Count: 3}, []int64{1, 1, 3}},
		{"the bucket that auto chooses", timeline.Request{Start: noon, End: new(noon + 1500*second)},
			concurrency.Window{Start: noon, Bucket: second, Count: 1500}, nil},
		{"and the next", timeline.Request{Start: noon, End: new(noon + 1501*second)},
			concurrency.Window{Start: noon, Bucket: 5 * second, Count: 301}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.request.WorkflowID = id
			if c.request.Statuses == 0 {
				c.request.Statuses = running
			}
			answer, err := line.Concurrency(context.Background(), c.request)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Window != c.window {
				t.Errorf("the window is %+v, want %+v", answer.Window, c.window)
			}
			if c.peaks != nil && !slices.Equal(answer.Total.Peak, c.peaks) {
				t.Errorf("the peaks are %v, want %v", answer.Total.Peak, c.peaks)
			}
		})
	}
}

func TestTheWindowThatEndsNow(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", ran("a", 0, 1))
	before := time.Now().UnixMicro()
	answer, err := timeline.New(db, nil).Concurrency(context.Background(),
		timeline.Request{WorkflowID: id, Last: 24 * time.Hour, Bucket: minute, Statuses: running})
	if err != nil {
		t.Fatal(err)
	}
	window := answer.Window
	if window.Count != 1440 || window.Start%minute != 0 {
		t.Errorf("24 hours are %d buckets from %d", window.Count, window.Start)
	}
	partial, ok := answer.PartialFrom()
	if !ok || partial != window.End()-minute || answer.Now < before || answer.Now >= window.End() {
		t.Errorf("now is %d, partial from %d, the window ends at %d", answer.Now, partial, window.End())
	}
}

func TestRefusals(t *testing.T) {
	db := open(t)
	id := load(t, db, "run", ran("a", 0, 1))
	future := time.Now().Add(24 * time.Hour).UnixMicro()
	for name, c := range map[string]struct {
		request timeline.Request
		code    jobmon.Code
		field   string
	}{
		"unknown workflow":   {timeline.Request{WorkflowID: id + 1, All: true, Bucket: minute}, jobmon.CodeNotFound, ""},
		"ends before":        {timeline.Request{Start: noon, End: new(noon - 1), Bucket: minute}, jobmon.CodeInvalid, "end"},
		"ends at its start":  {timeline.Request{Start: noon, End: new(noon), Bucket: minute}, jobmon.CodeInvalid, "end"},
		"starts after now":   {timeline.Request{Start: future, Bucket: minute}, jobmon.CodeInvalid, "start"},
		"too many buckets":   {timeline.Request{Start: noon, End: new(noon + 50_001*second), Bucket: second}, jobmon.CodeInvalid, "granularity"},
		"unknown template":   {timeline.Request{All: true, Bucket: minute, Templates: []string{"A"}}, jobmon.CodeInvalid, "task_template_name"},
		"as many as allowed": {timeline.Request{Start: noon, End: new(noon + 50_000*second), Bucket: second}, "", ""},
	} {
		if c.request.WorkflowID == 0 {
			c.request.WorkflowID = id
		}
		c.request.Statuses = running
		_, err := timeline.New(db, nil).Concurrency(context.Background(), c.request)
		if jobmon.ErrorCode(err) != c.code {
			t.Errorf("%s: %v, want code %q", name, err, c.code)
			continue
		}
		if known, ok := err.(*jobmon.Error); ok && known.Field != c.field { //nolint:errorlint // the outermost error is meant
			t.Errorf("%s: field %q, want %q", name, known.Field, c.field)
		}
	}
}

// Whatever is asked of the database, the answer is the engine's over all rows at once: sums of what
// came before and rows of what came in, one template or all.
func TestAnswersAreThoseOfAllRows(t *testing.T) {
	db := open(t)
	line := timeline.New(db, nil)
	number := 0
	rapid.Check(t, func(t *rapid.T) {
		number++
		names := []string{"a", "A", "a "}
		var tasks []jobmon.TaskHistory
		for range rapid.IntRange(1, 12).Draw(t, "tasks") {
			from := rapid.Int64Range(-200, 200).Draw(t, "from")
			length := rapid.SampledFrom([]int64{0, 1, 7, 60, 300}).Draw(t, "length")
			tasks = append(tasks, ran(rapid.SampledFrom(names).Draw(t, "template"), from, from+length))
		}
		id := load(t, db, fmt.Sprint("run ", number), tasks...)
		start := noon + rapid.Int64Range(-300, 300).Draw(t, "start")*second
		request := timeline.Request{
			WorkflowID: id, Start: start, End: new(start + rapid.Int64Range(1, 300).Draw(t, "span")*second),
			Bucket:   rapid.SampledFrom(timeline.Buckets()).Draw(t, "bucket"),
			Statuses: concurrency.StatusSet(rapid.Uint32().Draw(t, "statuses")) & concurrency.All,
		}
		answer, err := line.Concurrency(context.Background(), request)
		if err != nil {
			t.Fatal(err)
		}
		var changes []concurrency.Change
		for _, task := range tasks {
			series := slices.Index(answer.Templates, task.Template)
			from := jobmon.TaskStatus(0)
			for _, move := range task.Moves {
				changes = append(changes, concurrency.Change{At: move.At, Series: series, From: from, To: move.To})
				from = move.To
			}
		}
		want, err := concurrency.Count(answer.Window, request.Statuses, len(answer.Templates), answer.Now, changes)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, answer.Result); diff != "" {
			t.Fatalf("the answer differs from the engine's over all rows (-want +got):\n%s", diff)
		}
	})
}
