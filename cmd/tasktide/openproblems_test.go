package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"strings"
	"testing"

	"tasktide/internal/store/testdb"
)

// openproblems is a real run that lies beside the project, not in it.
const openproblems = "../../../shared/data/nextflow-openproblems-2022-05-13.tsv"

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

// TestOpenProblems imports the real run and asks the running server for the numbers that an independent
// program computed from the same file. Every database gives the same.
func TestOpenProblems(t *testing.T) {
	if _, err := os.Stat(openproblems); err != nil {
		t.Skipf("the real run is not beside the project: %v", err)
	}
	for _, kind := range testdb.Kinds() {
		t.Run(string(kind), func(t *testing.T) { openProblems(t, kind.URL(t)) })
	}
}

func openProblems(t *testing.T, database string) {
	t.Helper()
	code, out, errOut := call("import", "nextflow", openproblems, "--workflow", "openproblems", "--database-url", database)
	if code != 0 || out != "1\n" {
		t.Fatalf("import exits %d with %q %q", code, out, errOut)
	}
	server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")

	var got columns
	server.ask(t, "/api/v2/workflow/1/task_concurrency?time_range=all&stat=mean&format=columns", &got)
	want := map[string]string{
		"dataset_images":        "9 at 2022-05-13T03:15:41.86Z, 698.8 s",
		"get_software_versions": "1 at 2022-05-13T03:09:19.259Z, 16.2 s",
		"list_datasets":         "4 at 2022-05-13T03:13:51.786Z, 135.6 s",
		"list_methods":          "3 at 2022-05-13T03:13:51.823Z, 117.4 s",
		"list_metrics":          "3 at 2022-05-13T03:13:51.347Z, 127.8 s",
		"list_tasks":            "1 at 2022-05-13T03:09:18.206Z, 16.2 s",
		"load_dataset":          "13 at 2022-05-13T03:17:30.231Z, 5635.416 s",
		"method_images":         "18 at 2022-05-13T03:15:46.08Z, 1597.1 s",
		"metric_images":         "16 at 2022-05-13T03:15:45.339Z, 991.8 s",
		"run_method":            "25 at 2022-05-13T03:23:09.136Z, 7111.1 s",
		"run_metric":            "137 at 2022-05-13T03:24:14.803Z, 17787.3 s",
	}
	by := map[string]string{}
	for _, s := range got.Series {
		by[s.Name] = s.String()
	}
	if !maps.Equal(by, want) {
		t.Errorf("the templates are\n%v\nwant\n%v", by, want)
	}
	if total := got.Total.String(); total != "147 at 2022-05-13T03:24:14.803Z, 34234.716 s" {
		t.Errorf("the total is %s", total)
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
	if len(rows.Data) != 69 || sum != 535 || most != "2022-05-13T03:24:00Z" || seen[most] != 91 {
		t.Errorf("%d rows add up to %d, at most %d at %s; want 69, 535, 91 at 03:24", len(rows.Data), sum, seen[most], most)
	}

	// The same numbers at every width: a finer view shows no other peak and no other area.
	for _, width := range []string{"1s", "5s", "10s", "30s", "5m", "10m", "30m", "1h", "6h", "1d", "auto"} {
		var other columns
		server.ask(t, "/api/v2/workflow/1/task_concurrency?time_range=all&format=columns&granularity="+width, &other)
		if other.Total.String() != got.Total.String() {
			t.Errorf("at %s the total is %s", width, other.Total)
		}
	}

	// The incident, asked for as an engineer would: five minutes, one template.
	var incident columns
	server.ask(t, "/api/v2/workflow/1/task_concurrency?start=2022-05-13T03:22:00Z&end=2022-05-13T05:27:00%2B02:00"+
		"&granularity=1s&format=columns&stat=peak&task_template_name=run_metric", &incident)
	if len(incident.Total.Peaks) != 300 || incident.Total.Peak != 137 || incident.Window.End != "2022-05-13T03:27:00Z" {
		t.Errorf("the incident has %d buckets to %s, peak %d", len(incident.Total.Peaks), incident.Window.End, incident.Total.Peak)
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
