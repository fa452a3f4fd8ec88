package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tasktide/internal/store/testdb"
	"tasktide/internal/testfiles"
)

type columns struct {
	Series []series     `json:"series"`
	Total  columnsTotal `json:"total"`
	Window struct {
		Start, End string
	} `json:"window"`
	Bucket struct {
		Seconds int64
		First   string
		Count   int
	} `json:"bucket"`
	GeneratedAt string `json:"generated_at"`
}

type columnsTotal struct {
	series
	Peaks []int64 `json:"peaks"`
}

type series struct {
	Name        string      `json:"task_template_name"`
	Values      []float64   `json:"values"`
	Peak        int64       `json:"peak"`
	PeakAt      string      `json:"peak_at"`
	TaskSeconds json.Number `json:"task_seconds"`
}

func (s series) String() string {
	return fmt.Sprintf("%d at %s, %s s", s.Peak, s.PeakAt, s.TaskSeconds)
}

// TestWholeRuns imports whole runs and asks the running server for their known numbers. Every database gives the same.
func TestWholeRuns(t *testing.T) {
	testfiles.EachRun(t, func(t *testing.T, known testfiles.Run) {
		t.Helper()
		for _, kind := range testdb.Kinds() {
			t.Run(string(kind), func(t *testing.T) { importAndCompare(t, kind.URL(t), "nextflow", known) })
		}
	})
	t.Run("table", func(t *testing.T) { importAndCompare(t, tempDatabase(t), "csv", testfiles.Table(t)) })
}

// knownSeries is what the API answers for numbers.
func knownSeries(run testfiles.Run, n testfiles.Numbers) string {
	at := run.Day + "T" + strings.TrimSuffix(strings.TrimRight(n.PeakAt, "0"), ".") + "Z"
	return fmt.Sprintf("%d at %s, %v s", n.Peak, at, n.TaskSeconds)
}

func importAndCompare(t *testing.T, database, format string, known testfiles.Run) {
	t.Helper()
	code, out, errOut := call("import", format, known.Path, "--workflow", known.Name, "--database-url", database)
	if code != 0 || out != "1\n" {
		t.Fatalf("import exits %d with %q %q", code, out, errOut)
	}
	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")

	var got columns
	server.ask(t, "/api/v2/workflow/1/task_concurrency?time_range=all&stat=mean&format=columns", &got)
	want := map[string]string{}
	for _, n := range known.Numbers[:len(known.Numbers)-1] {
		want[n.Template] = knownSeries(known, n)
	}
	by := map[string]string{}
	for _, s := range got.Series {
		by[s.Name] = s.String()
	}
	if !maps.Equal(by, want) {
		t.Errorf("the templates are\n%v\nwant\n%v", by, want)
	}
	if total := got.Total.String(); total != knownSeries(known, known.All()) {
		t.Errorf("the total is %s, want %s", total, knownSeries(known, known.All()))
	}

	// The PRD's own query: what a sample at each whole minute sees.
	var rows struct {
		Data []struct {
			Timestamp string `json:"timestamp"`
			Name      string `json:"task_template_name"`
			Count     int64  `json:"concurrent_count"`
		} `json:"data"`
	}
	server.ask(t, "/api/v2/workflow/1/task_concurrency?time_range=all", &rows)
	sum, before := int64(0), ""
	seen := map[string]int64{}
	for _, row := range rows.Data {
		sum += row.Count
		seen[row.Timestamp] += row.Count
		if key := row.Timestamp + " " + row.Name; key <= before {
			t.Errorf("%q comes after %q", key, before)
		} else {
			before = key
		}
	}
	most := ""
	for at, count := range seen {
		if most == "" || count > seen[most] {
			most = at
		}
	}
	mostAt := strings.TrimSuffix(strings.TrimPrefix(most, known.Day+"T"), ":00Z")
	samples := testfiles.Samples{Rows: len(rows.Data), Sum: int(sum), Most: int(seen[most]), MostAt: mostAt}
	if samples != known.Samples {
		t.Errorf("samples at whole minutes: %+v, known %+v", samples, known.Samples)
	}

	// The same numbers at every width: a finer view shows no other peak and no other area.
	for _, width := range []string{"1s", "5s", "10s", "30s", "5m", "10m", "30m", "1h", "6h", "1d", "auto"} {
		var other columns
		server.ask(t, "/api/v2/workflow/1/task_concurrency?time_range=all&format=columns&granularity="+width, &other)
		if other.Total.String() != got.Total.String() {
			t.Errorf("at %s the total is %s", width, other.Total)
		}
	}

	// The incident, asked for as an engineer would, in a zone of two hours: the minutes around the peak, its template.
	top := slices.MaxFunc(known.Numbers[:len(known.Numbers)-1], func(a, b testfiles.Numbers) int { return cmp.Compare(a.Peak, b.Peak) })
	at, err := time.Parse("2006-01-02T15:04:05", known.Day+"T"+top.PeakAt)
	if err != nil {
		t.Fatal(err)
	}
	from := at.Truncate(time.Minute).Add(-2 * time.Minute)
	query := url.Values{
		"start": {from.Format(time.RFC3339)}, "end": {from.Add(5 * time.Minute).In(time.FixedZone("", 2*60*60)).Format(time.RFC3339)},
		"granularity": {"1s"}, "format": {"columns"}, "stat": {"peak"}, "task_template_name": {top.Template},
	}
	var incident columns
	server.ask(t, "/api/v2/workflow/1/task_concurrency?"+query.Encode(), &incident)
	if len(incident.Total.Peaks) != 300 || incident.Total.Peak != int64(top.Peak) || incident.Window.Start != from.Format(time.RFC3339) {
		t.Errorf("the incident has %d buckets from %s, peak %d", len(incident.Total.Peaks), incident.Window.Start, incident.Total.Peak)
	}
}

// ask reads the answer to a request that must succeed.
func (p *program) ask(t *testing.T, path string, answer any) {
	t.Helper()
	status, body := p.get(path)
	if status != http.StatusOK {
		t.Fatalf("%s: %d %s", path, status, body)
	}
	decoder := json.NewDecoder(strings.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(answer); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
}
