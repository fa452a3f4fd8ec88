package testfiles

import (
	"cmp"
	"encoding/csv"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Numbers is what is known of one template of a run, or of all of them together. It counts RUNNING.
type Numbers struct {
	Template    string // "all" for the run
	Runs        int    // attempts that ran
	Peak        int    // the most tasks that ran at one instant
	PeakAt      string // the first such instant, UTC, as 15:04:05.000
	TaskSeconds float64
}

// Samples is what a query sees that looks at each whole minute.
type Samples struct {
	Rows   int // pairs of a minute and a template that ran then
	Sum    int // of the tasks that they count
	Most   int // tasks that ran at one of these minutes
	MostAt string
}

// Run is a file that tells when tasks ran, and whose numbers are known.
type Run struct {
	Name     string
	Path     string
	Day      string // UTC, as 2006-01-02
	Tasks    int
	Attempts int       // rows
	Fatal    int       // tasks that failed for good
	Numbers  []Numbers // by name of the template; the last one is "all"
	Samples  Samples
}

// All returns the numbers of the whole run.
func (r Run) All() Numbers { return r.Numbers[len(r.Numbers)-1] }

// EachRun tests the example of a trace, and the recorded run of a real pipeline where ../shared/data is.
func EachRun(t *testing.T, test func(t *testing.T, run Run)) {
	t.Helper()
	t.Run(nightly.Name, func(t *testing.T) {
		run := nightly
		run.Path = Example(t, "nightly.tsv")
		test(t, run)
	})
	t.Run(openProblems.Name, func(t *testing.T) {
		run := openProblems
		run.Path = Shared(t, "nextflow-openproblems-2022-05-13.tsv")
		test(t, run)
	})
}

// nightly's numbers were printed by the count of this package's own test, which knows no code of the product.
var nightly = Run{
	Name: "nightly", Day: "2026-03-03", Tasks: 439, Attempts: 445, Fatal: 1,
	Numbers: []Numbers{
		{"align", 52, 48, "02:02:25.910", 24898.966},
		{"annotate", 50, 18, "02:21:34.627", 6177.487},
		{"call_variants", 48, 44, "02:13:45.804", 30476.458},
		{"count_windows", 150, 150, "02:11:17.378", 3222.383},
		{"fastqc", 48, 48, "02:00:36.303", 2969.763},
		{"report", 1, 1, "02:37:55.361", 128.979},
		{"sort_bam", 48, 10, "02:09:56.203", 2638.997},
		{"trim_reads", 48, 48, "02:00:37.112", 3824.182},
		{"all", 445, 198, "02:11:17.378", 74337.215},
	},
	Samples: Samples{Rows: 85, Sum: 1172, Most: 90, MostAt: "02:01"},
}

// warehouse is a table of some other engine. Its first task has no start, and the last ones have no end.
var warehouse = Run{
	Name: "warehouse", Day: "2026-03-04", Tasks: 116, Attempts: 117, Fatal: 1,
	Numbers: []Numbers{
		{"check", 40, 40, "22:11:16.969", 846.309},
		{"clean", 24, 20, "22:02:38.673", 2965.208},
		{"compact", 1, 1, "22:00:02.353", 87.995},
		{"extract", 25, 24, "22:00:18.383", 2344.013},
		{"load", 24, 16, "22:04:28.965", 1491.719},
		{"publish", 1, 1, "22:12:05.000", 73.12},
		{"report", 2, 2, "22:12:06.286", 145.439},
		{"all", 117, 40, "22:11:16.969", 7953.803},
	},
	Samples: Samples{Rows: 16, Sum: 110, Most: 25, MostAt: "22:01"},
}

// Table returns examples/runs.csv.
func Table(tb testing.TB) Run {
	tb.Helper()
	run := warehouse
	run.Path = Example(tb, "runs.csv")
	return run
}

// openProblems is a run on AWS Batch. Its numbers are those of a program that is not part of this project.
var openProblems = Run{
	Name: "openproblems", Day: "2022-05-13", Tasks: 852, Attempts: 864,
	Numbers: []Numbers{
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
	},
	Samples: Samples{Rows: 69, Sum: 535, Most: 91, MostAt: "03:24"},
}

// Row is one attempt at a task. Instants are microseconds since the Unix epoch, UTC.
type Row struct {
	Task, Template            string
	Submitted, Started, Ended int64
	Failed                    bool
}

// Rows reads the run's file without the code of the product, in the order of submission.
func (r Run) Rows(tb testing.TB) []Row {
	tb.Helper()
	file, err := os.Open(r.Path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	isTrace := strings.HasSuffix(r.Path, ".tsv")
	reader := csv.NewReader(file)
	if isTrace {
		reader.Comma = '\t'
	}
	records, err := reader.ReadAll()
	if err != nil {
		tb.Fatal(err)
	}
	rows := make([]Row, 0, len(records))
	for _, record := range records[1:] {
		field := func(name string) string { return record[slices.Index(records[0], name)] }
		if isTrace {
			rows = append(rows, traceRow(tb, field))
		} else {
			rows = append(rows, tableRow(tb, field))
		}
	}
	if !isTrace {
		closeEnds(rows)
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return cmp.Compare(a.Submitted, b.Submitted) })
	// Lengths are rounded for people: a retry may seem to begin before the attempt it follows ended.
	last := map[string]int{}
	for i, row := range rows {
		if before, retry := last[row.Task]; retry {
			rows[before].Ended = min(rows[before].Ended, row.Submitted)
			rows[before].Started = min(rows[before].Started, rows[before].Ended)
		}
		last[row.Task] = i
	}
	return rows
}

func traceRow(tb testing.TB, field func(string) string) Row {
	tb.Helper()
	template, _, _ := strings.Cut(field("name"), " (")
	submitted := instant(tb, field("submit"))
	ended := submitted + length(tb, field("duration"))
	return Row{
		Task: field("name"), Template: template, Submitted: submitted,
		Started: max(submitted, ended-length(tb, field("realtime"))), Ended: ended,
		Failed: field("status") == "FAILED",
	}
}

func tableRow(tb testing.TB, field func(string) string) Row {
	tb.Helper()
	row := Row{Task: field("task"), Template: field("template"), Failed: strings.HasPrefix(field("status"), "ERROR_")}
	if text := field("start"); text != "" {
		row.Started = instant(tb, text)
	}
	if text := field("end"); text != "" {
		row.Ended = instant(tb, text)
	}
	return row
}

// closeEnds puts the first instant of a table where a start is missing, and the last where an end is.
func closeEnds(rows []Row) {
	first, last := int64(math.MaxInt64), int64(0)
	for _, row := range rows {
		for _, at := range []int64{row.Started, row.Ended} {
			if at > 0 {
				first, last = min(first, at), max(last, at)
			}
		}
	}
	for i := range rows {
		row := &rows[i]
		row.Started, row.Ended = cmp.Or(row.Started, first), cmp.Or(row.Ended, last)
		row.Submitted = row.Started
	}
}

// instant reads what Nextflow writes with trace.raw, epoch milliseconds, what it writes without, and RFC 3339.
func instant(tb testing.TB, text string) int64 {
	tb.Helper()
	if millis, err := strconv.ParseInt(text, 10, 64); err == nil {
		return millis * 1000
	}
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		at, err = time.Parse(time.RFC3339, text)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return at.UnixMicro()
}

func length(tb testing.TB, text string) int64 {
	tb.Helper()
	if millis, err := strconv.ParseInt(text, 10, 64); err == nil {
		return millis * 1000
	}
	d, err := time.ParseDuration(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		tb.Fatal(err)
	}
	return d.Microseconds()
}
