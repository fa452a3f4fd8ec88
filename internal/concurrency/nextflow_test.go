package concurrency_test

import (
	"cmp"
	"encoding/csv"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	diff "github.com/google/go-cmp/cmp"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
)

// attempt is one row of a Nextflow trace. Instants are microseconds since the Unix epoch, UTC.
type attempt struct {
	task, template        string
	submitted, ran, ended int64
	failed                bool
}

// projectRoot returns the folder of go.mod.
func projectRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = filepath.Dir(dir)
	}
}

// realRun reads the trace of a real run of 864 attempts, which is kept beside the project.
func realRun(t *testing.T) []attempt {
	t.Helper()
	path := filepath.Join(projectRoot(t), "..", "shared", "data", "nextflow-openproblems-2022-05-13.tsv")
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the trace of the real run is not beside the project; its numbers are not checked here")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader := csv.NewReader(file)
	reader.Comma = '\t'
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	length := func(text string) int64 {
		d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return d.Microseconds()
	}
	var attempts []attempt
	for _, row := range rows[1:] {
		at, err := time.Parse("2006-01-02 15:04:05.000", row[column["submit"]])
		if err != nil {
			t.Fatal(err)
		}
		name := row[column["name"]]
		template, _, _ := strings.Cut(name, " (")
		submitted := at.UnixMicro()
		ended := submitted + length(row[column["duration"]])
		attempts = append(attempts, attempt{
			task: name, template: template, submitted: submitted,
			ran: max(submitted, ended-length(row[column["realtime"]])), ended: ended,
			failed: row[column["status"]] == "FAILED",
		})
	}
	slices.SortStableFunc(attempts, func(a, b attempt) int { return cmp.Compare(a.submitted, b.submitted) })
	// Lengths are rounded for people: a retry may seem to begin before the attempt it follows ended.
	last := map[string]int{}
	for i, a := range attempts {
		if before, retry := last[a.task]; retry {
			attempts[before].ended = min(attempts[before].ended, a.submitted)
			attempts[before].ran = min(attempts[before].ran, attempts[before].ended)
		}
		last[a.task] = i
	}
	return attempts
}

func TestRealRun(t *testing.T) {
	attempts := realRun(t)
	templates := []string{}
	for _, a := range attempts {
		if !slices.Contains(templates, a.template) {
			templates = append(templates, a.template)
		}
	}
	slices.Sort(templates)

	var changes []concurrency.Change
	for _, a := range attempts {
		series := slices.Index(templates, a.template)
		end := jobmon.TaskDone
		if a.failed {
			end = jobmon.TaskErrorRecoverable
		}
		changes = append(changes,
			concurrency.Change{At: a.submitted, Series: series, From: jobmon.TaskRegistering, To: jobmon.TaskQueued},
			concurrency.Change{At: a.ran, Series: series, From: jobmon.TaskQueued, To: jobmon.TaskRunning},
			concurrency.Change{At: a.ended, Series: series, From: jobmon.TaskRunning, To: end})
	}
	first := slices.MinFunc(changes, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) }).At
	last := slices.MaxFunc(changes, func(a, b concurrency.Change) int { return cmp.Compare(a.At, b.At) }).At
	window := concurrency.Align(first, last, time.Minute.Microseconds())
	got, err := concurrency.Count(window, concurrency.Of(jobmon.TaskRunning), len(templates), never, changes)
	if err != nil {
		t.Fatal(err)
	}

	type line struct {
		Template    string
		Entered     int64
		Peak        int64
		PeakAt      string
		TaskSeconds float64
	}
	describe := func(template string, s concurrency.Series) line {
		at := time.UnixMicro(s.WindowPeakAt).UTC().Format("15:04:05.000")
		return line{template, sum(s.Entered), s.WindowPeak, at, s.TaskSeconds()}
	}
	var table []line
	for i, template := range templates {
		table = append(table, describe(template, got.Series[i]))
	}
	table = append(table, describe("all", got.Total))
	want := []line{
		{"dataset_images", 18, 9, "03:15:41.860", 698.8},
		{"get_software_versions", 1, 1, "03:09:19.259", 16.2},
		{"list_datasets", 6, 4, "03:13:51.786", 135.6},
		{"list_methods", 6, 3, "03:13:51.823", 117.4},
		{"list_metrics", 6, 3, "03:13:51.347", 127.8},
		{"list_tasks", 1, 1, "03:09:18.206", 16.2},
		{"load_dataset", 29, 13, "03:17:30.231", 5635.416},
		{"method_images", 32, 18, "03:15:46.080", 1597.1},
		{"metric_images", 19, 16, "03:15:45.339", 991.8},
		{"run_method", 148, 25, "03:23:09.136", 7111.1},
		{"run_metric", 598, 137, "03:24:14.803", 17787.3},
		{"all", 864, 147, "03:24:14.803", 34234.716},
	}
	if d := diff.Diff(want, table); d != "" {
		t.Errorf("by template (-want +got):\n%s", d)
	}

	var rows, running int64
	for _, s := range got.Series {
		for _, level := range s.Start {
			running += level
			rows += min(level, 1)
		}
	}
	if rows != 69 || running != 535 || slices.Max(got.Total.Start) != 91 {
		t.Errorf("sampled at whole minutes: %d rows that add up to %d, at most %d at once; want 69, 535, 91",
			rows, running, slices.Max(got.Total.Start))
	}
	if minute := window.BucketStart(slices.Index(got.Total.Start, 91)); time.UnixMicro(minute).UTC().Format("15:04") != "03:24" {
		t.Errorf("the highest sample is at %v", time.UnixMicro(minute).UTC())
	}
}
