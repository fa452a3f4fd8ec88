package runlog_test

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/runlog"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
)

// written is a row as it is drawn, and nothing of how it is read: microseconds after noon, and whether
// the file tells them.
type written struct {
	task, template         string
	start, end             int64
	knowsStart, knowsEnd   bool
	status                 string
	zoned                  bool // start and end stand there in RFC 3339
	offsetStart, offsetEnd int  // of their zones, in minutes
}

var statusesOfRows = []string{"", "", "D", "DONE", "E", "F", "error_fatal"}

// drawRows draws tasks of three templates with one to four attempts each. Few instants are possible, so that
// many are the same.
func drawRows(t *rapid.T) []written {
	unit := rapid.SampledFrom([]int64{1, 250_000, 1e6, 60e6}).Draw(t, "unit")
	var rows []written
	for task := range rapid.IntRange(1, 8).Draw(t, "tasks") {
		attempts := rapid.IntRange(1, 4).Draw(t, "attempts")
		at := rapid.Int64Range(0, 12).Draw(t, "start")
		for attempt := range attempts {
			w := written{
				task: fmt.Sprintf("task, %d", task), template: fmt.Sprintf("t%d", task%3),
				start: at * unit, knowsStart: true, knowsEnd: true,
				status: rapid.SampledFrom(statusesOfRows).Draw(t, "status"),
				zoned:  rapid.Bool().Draw(t, "zoned"),
			}
			at += rapid.Int64Range(0, 8).Draw(t, "runs")
			w.end = at * unit
			at += rapid.Int64Range(0, 3).Draw(t, "pauses")
			if strings.HasPrefix(w.status, "D") && attempt < attempts-1 {
				w.status = ""
			}
			w.knowsStart = attempt > 0 || rapid.IntRange(0, 3).Draw(t, "before") > 0
			if attempt == attempts-1 && rapid.IntRange(0, 3).Draw(t, "beyond") == 0 {
				w.knowsEnd = false
				w.status = rapid.SampledFrom([]string{"", "R"}).Draw(t, "still")
			}
			w.offsetStart, w.offsetEnd = rapid.IntRange(-720, 720).Draw(t, "zone"), rapid.IntRange(-720, 720).Draw(t, "zone")
			rows = append(rows, w)
		}
	}
	return rows
}

// text writes rows down in a random order, and columns too.
func text(t *rapid.T, rows []written) string {
	shuffle := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
	columns := []string{"task", "template", "start", "end", "status"}
	shuffle.Shuffle(len(columns), func(i, j int) { columns[i], columns[j] = columns[j], columns[i] })
	lines := make([]string, len(rows))
	for i, w := range rows {
		instant := func(micros int64, known bool, offset int) string {
			at := noon.Add(time.Duration(micros) * time.Microsecond)
			switch {
			case !known:
				return ""
			case w.zoned:
				return at.In(time.FixedZone("", offset*60)).Format(time.RFC3339Nano)
			default:
				return fmt.Sprintf("%d.%06d", at.Unix(), at.Nanosecond()/1000)
			}
		}
		fields := map[string]string{
			"task": strconv.Quote(w.task), "template": w.template, "status": w.status,
			"start": instant(w.start, w.knowsStart, w.offsetStart), "end": instant(w.end, w.knowsEnd, w.offsetEnd),
		}
		for j, column := range columns {
			if j > 0 {
				lines[i] += ","
			}
			lines[i] += fields[column]
		}
	}
	shuffle.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return strings.Join(columns, ",") + "\n" + strings.Join(lines, "\n") + "\n"
}

// running counts the rows that run at an instant, one by one, by their templates.
func running(rows []written, now bool, at int64) map[string]int64 {
	first, last := int64(math.MaxInt64), int64(math.MinInt64)
	for _, w := range rows {
		if w.knowsStart {
			first, last = min(first, w.start), max(last, w.start)
		}
		if w.knowsEnd {
			first, last = min(first, w.end), max(last, w.end)
		}
	}
	counts := map[string]int64{}
	for _, w := range rows {
		begun := w.start <= at
		if !w.knowsStart {
			begun = first <= at
		}
		over := w.end <= at
		if !w.knowsEnd {
			over = !now && last <= at
		}
		if begun && !over {
			counts[w.template]++
		}
	}
	return counts
}

// stored reads what is stored of a workflow, with a series for each template.
func stored(t *rapid.T, db store.Store, workflow int64) (templates []string, changes []concurrency.Change) {
	err := db.View(context.Background(), func(ctx context.Context, view store.Snapshot) error {
		names, err := view.TemplateNames(ctx, workflow)
		if err != nil {
			return err
		}
		series := map[int64]int{}
		for i, name := range names {
			series[name.ID] = i
			templates = append(templates, name.Name)
		}
		for row, err := range view.Transitions(ctx, store.TransitionFilter{WorkflowID: workflow, Before: store.MaxInstant}) {
			if err != nil {
				return err
			}
			changes = append(changes, concurrency.Change{At: row.At, Series: series[row.TaskTemplateID], From: row.From, To: row.To})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return templates, changes
}

// TestCSVCounts imports random files and counts what is stored of them: at every instant, as many tasks run as
// rows of the file say.
func TestCSVCounts(t *testing.T) {
	db := testdb.SQLite.Open(t)
	defer db.Close()
	imports := ledger.New(db, slog.New(slog.DiscardHandler))
	files := 0
	rapid.Check(t, func(t *rapid.T) {
		rows := drawRows(t)
		// One instant at least is known.
		rows = append(rows, written{task: "known", template: "t0", start: 3, end: 3, knowsStart: true, knowsEnd: true})
		now := rapid.Bool().Draw(t, "until now")
		ends := runlog.OpenUntilLast
		if now {
			ends = runlog.OpenUntilNow
		}
		file := text(t, rows)
		parsed, err := runlog.ParseCSV(strings.NewReader(file), ends)
		if err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
		files++
		run := store.Import{Name: strconv.Itoa(files), Engine: "csv", SourceHash: "x"}
		workflow, err := imports.ImportSeq(context.Background(), run, parsed.Histories(), 3, nil)
		if err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
		templates, changes := stored(t, db, workflow)

		var instants []int64
		for _, w := range rows {
			for _, at := range []int64{w.start, w.end} {
				instants = append(instants, at-1, at, at+1, at+rapid.Int64Range(-100e6, 100e6).Draw(t, "instant"))
			}
		}
		slices.Sort(instants)
		for _, at := range slices.Compact(instants) {
			window := concurrency.Window{Start: noon.UnixMicro() + at, Bucket: 1, Count: 1}
			result, err := concurrency.Count(window, concurrency.Of(jobmon.TaskRunning), len(templates), store.MaxInstant, changes)
			if err != nil {
				t.Fatal(err)
			}
			want, total := running(rows, now, at), int64(0)
			for i, template := range templates {
				total += want[template]
				if got := result.Series[i].Start[0]; got != want[template] {
					t.Fatalf("%d of %s run %d us after noon, want %d, in\n%s", got, template, at, want[template], file)
				}
			}
			if got := result.Total.Start[0]; got != total || len(result.Defects) > 0 {
				t.Fatalf("%d run %d us after noon, want %d, %v", got, at, total, result.Defects)
			}
		}
	})
}
