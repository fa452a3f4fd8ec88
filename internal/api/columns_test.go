package api_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/upkeep"
)

// TestOther: of more templates than are told apart, those that took least are one.
func TestOther(t *testing.T) {
	f := newFixture(t)
	var tasks []jobmon.TaskHistory
	for i, template := range []string{"d", "c", "b", "a"} { // d for 10 s, c for 20 s, …, all from noon on
		tasks = append(tasks, ran(template, template, noon, noon.Add(time.Duration(10*(i+1))*time.Second)))
	}
	tasks = append(tasks, ran("e", "e", noon, noon.Add(10*time.Second)), ran("f", "f", noon.Add(30*time.Second), noon.Add(40*time.Second)))
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=columns&stat=peak&start=2025-05-27T12:00:00Z&end=2025-05-27T12:02:00Z",
		f.load("many", tasks...))
	for query, want := range map[string]struct{ names, other string }{
		"":       {"a b c d e f", "null"},
		"&top=6": {"a b c d e f", "null"},
		// Those of 10 s tie: they come in by their names, and go out in the same order.
		"&top=5": {"a b c d e", `{"peak":1,"peak_at":"2025-05-27T12:00:30Z","peak_is":"exact","task_seconds":10,"templates":1,"values":[1,0],"values_are":"exact"}`},
		"&top=4": {"a b c d", `{"peak":1,"peak_at":"2025-05-27T12:00:00Z","peak_is":"exact","task_seconds":20,"templates":2,"values":[1,0],"values_are":"exact"}`},
		"&top=2": {"a b", `{"peak":3,"peak_at":"2025-05-27T12:00:00Z","peak_is":"exact","task_seconds":50,"templates":4,"values":[3,0],"values_are":"exact"}`},
		"&top=1&task_template_name=c&task_template_name=f": {
			"c", `{"peak":1,"peak_at":"2025-05-27T12:00:30Z","peak_is":"exact","task_seconds":10,"templates":1,"values":[1,0],"values_are":"exact"}`},
	} {
		got := f.send("GET", path+query, "").ok()
		series, _ := at(t, got, "series").([]any)
		var names []string
		for _, s := range series {
			names = append(names, at(t, s, "task_template_name").(string))
		}
		other, _ := json.Marshal(at(t, got, "other"))
		if strings.Join(names, " ") != want.names || string(other) != want.other {
			t.Errorf("%s: %v and %s, want %+v", query, names, other, want)
		}
	}
	for _, top := range []string{"0", "10000", "-1", "x", ""} {
		if got := f.send("GET", path+"&top="+top, "").refused(400, "invalid"); got.Field == nil || *got.Field != "top" {
			t.Errorf("top=%s: %+v", top, got)
		}
	}
	rows := strings.Replace(path, "format=columns", "format=rows", 1)
	if got := f.send("GET", rows+"&top=3", "").refused(400, "invalid"); got.Field == nil || *got.Field != "top" {
		t.Errorf("rows with a top: %+v", got)
	}
}

// TestBeside: totals in other statuses are those that one would be told who asked for these, of the same buckets.
func TestBeside(t *testing.T) {
	f := newFixture(t, kept)
	b := f.bind("live", 3)
	instances := f.queue(b)
	past := fmt.Sprintf(inColumns, f.threeMinutes())
	within := strings.Replace(past, "12:00:00Z", "12:01:00Z", 1) // what began before is carried in
	live := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=columns&time_range=1h", b.workflow)
	compare := func(when string) {
		t.Helper()
		for _, query := range []string{
			past, past + "&granularity=5s&stat=mean", past + "&task_template_name=burst&stat=peak", past + "&top=1&split=attempt&stat=entered",
			past + "&granularity=1h", within, within + "&granularity=1s&split=attempt", within + "&granularity=10s&task_template_name=load",
		} {
			var got struct {
				Bucket any
				Beside []map[string]any
			}
			if err := json.Unmarshal(f.send("GET", query+"&beside=ACTIVE&beside=PENDING&beside=D", "").body, &got); err != nil {
				t.Fatal(err)
			}
			for i, status := range []string{"ACTIVE", "PENDING", "D"} {
				alone := f.send("GET", query+"&status="+status, "").ok()
				want := at(t, alone, "total").(map[string]any)
				want["statuses"] = at(t, alone, "statuses")
				if fmt.Sprint(got.Beside[i]) != fmt.Sprint(want) || fmt.Sprint(got.Bucket) != fmt.Sprint(at(t, alone, "bucket")) {
					t.Errorf("%s, %s beside %s: %v, want %v", when, status, query, got.Beside[i], want)
				}
			}
		}
	}
	compare("from rows")
	if active := at(t, f.send("GET", live+"&granularity=1d&beside=ACTIVE", "").ok(), "beside", 0, "peak"); fmt.Sprint(active) != "3" {
		t.Errorf("%v are active", active)
	}
	if err := upkeep.NewRollUp(f.store, slog.New(slog.DiscardHandler)).Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	compare("from cells")
	before := f.send("GET", live+"&granularity=1d&status=D&beside=R", "").header.Get("ETag")
	f.send("POST", fmt.Sprintf("/api/v3/task_instance/%d/log_running", instances[0]), `{"next_report_increment": 60}`).ok()
	f.send("GET", live+"&granularity=1d&status=D&beside=R", "", "If-None-Match", before).told(200)
	for _, query := range []string{past + "&beside=nothing", past + strings.Repeat("&beside=R", 5), strings.Replace(past, "columns", "csv", 1) + "&beside=R"} {
		if got := f.send("GET", query, "").refused(400, "invalid"); got.Field == nil || *got.Field != "beside" {
			t.Errorf("%s: %+v", query, got)
		}
	}
}

// TestLimits: changes of limits are told, and for how long they were reached.
func TestLimits(t *testing.T) {
	f := newFixture(t)
	workflow := f.threeMinutes() // 1 task from 12:00:30 to 12:02, and 3 from 12:01:15 to 12:01:35.5
	err := f.store.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		arrays, err := tx.Arrays(ctx, workflow)
		if err != nil {
			return err
		}
		for _, limit := range []store.Limit{
			{MaxConcurrentlyRunning: 3, At: noon.Add(40 * time.Second).UnixMicro()},
			{MaxConcurrentlyRunning: 1, At: noon.Add(90 * time.Second).UnixMicro()},
			{ArrayID: arrays[0].ID, MaxConcurrentlyRunning: 0, At: noon.Add(179 * time.Second).UnixMicro()},
		} {
			limit.WorkflowID = workflow
			if err := tx.AppendLimit(ctx, limit); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=columns&status=D&task_template_name=burst", workflow)
	got := f.send("GET", path+"&start=2025-05-27T12:01:00Z&end=2025-05-27T12:03:00Z", "").ok()
	limits, _ := json.Marshal(at(t, got, "limits"))
	want := `[{"at_limit_resolution_seconds":0,"at_limit_seconds":45,"at_limit_share":0.375,"scope":"workflow","steps":[` +
		`{"from":"2025-05-27T12:00:40Z","max_concurrently_running":3},{"from":"2025-05-27T12:01:30Z","max_concurrently_running":1}],"task_template_name":null},` +
		`{"at_limit_resolution_seconds":0,"at_limit_seconds":0,"at_limit_share":0,"scope":"array","steps":[` +
		`{"from":"2025-05-27T12:00:30Z","max_concurrently_running":null}],"task_template_name":"burst"},` +
		`{"at_limit_resolution_seconds":0,"at_limit_seconds":1,"at_limit_share":0.008333333333333333,"scope":"array","steps":[` +
		`{"from":"2025-05-27T12:00:30Z","max_concurrently_running":null},{"from":"2025-05-27T12:02:59Z","max_concurrently_running":0}],"task_template_name":"load"}]`
	if string(limits) != want {
		t.Errorf("\n got %s\nwant %s", limits, want)
	}
}

// TestTable reads a table as anybody would, and holds it against the columns.
func TestTable(t *testing.T) {
	f := newFixture(t)
	evil := "=HYPERLINK(\"http://x\")"
	workflow := f.load("a, \"run\"\n=1", ran("a", evil, noon, noon.Add(90*time.Second)), ran("b", "b", noon, noon.Add(time.Minute)),
		ran("c", "-c", noon, noon.Add(30*time.Second)))
	window := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?stat=mean&start=2025-05-27T12:00:00Z&end=2025-05-27T12:03:00Z", workflow)
	read := func(query string) (comments, header []string, records [][]string) {
		t.Helper()
		got := f.send("GET", window+"&format=csv"+query, "")
		if got.status != 200 || got.header.Get("Content-Disposition") != fmt.Sprintf(`attachment; filename="tasktide-workflow-%d.csv"`, workflow) {
			t.Fatalf("%d %v %s", got.status, got.header, got.body)
		}
		reader := csv.NewReader(strings.NewReader(string(got.body)))
		reader.FieldsPerRecord = -1
		all, err := reader.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for len(all) > 0 && strings.HasPrefix(all[0][0], "#") {
			if len(all[0]) != 1 {
				t.Errorf("a comment of several cells: %q", all[0])
			}
			comments, all = append(comments, all[0][0]), all[1:]
		}
		for _, record := range all {
			for _, cell := range record {
				if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
					t.Errorf("a spreadsheet would run %q", cell)
				}
			}
		}
		return comments, all[0], all[1:]
	}
	comments, header, records := read("")
	if want := fmt.Sprint([]string{"bucket_start", "'-c", "'" + evil, "b", "total", "total_peak", "limit"}); fmt.Sprint(header) != want {
		t.Errorf("the header is %q", header)
	}
	if got := fmt.Sprint(records); got != "[[2025-05-27T12:00:00Z 0.5 1 1 2.5 3 ] [2025-05-27T12:01:00Z 0 0.5 0 0.5 1 ] [2025-05-27T12:02:00Z 0 0 0 0 0 ]]" {
		t.Errorf("the records are %s", got)
	}
	told := strings.Join(comments, "\n")
	for _, part := range []string{
		fmt.Sprintf(`# workflow: a, "run" =1 (id %d)`, workflow), "# window: 2025-05-27T12:00:00Z to 2025-05-27T12:03:00Z",
		"# bucket: 60 s", "# statistic: mean", "# status: RUNNING", "# templates: all", "# version: ", "# generated: 20",
	} {
		if !strings.Contains(told, part) {
			t.Errorf("%q is not in\n%s", part, told)
		}
	}
	if _, header, records := read("&top=1"); fmt.Sprint(header[2:]) != "[other (2 templates) total total_peak limit]" ||
		fmt.Sprint(records[0]) != "[2025-05-27T12:00:00Z 1 1.5 2.5 3 ]" {
		t.Errorf("%q, %q", header, records)
	}
}

// TestLongTable: a table may have more buckets than are held at once, and than any other answer.
func TestLongTable(t *testing.T) {
	f := newFixture(t)
	workflow := f.threeMinutes()
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?granularity=1s&start=2025-05-27T00:00:00Z&end=2025-05-28T12:00:00Z", workflow)
	f.send("GET", path+"&format=columns", "").refused(400, "invalid")
	got := f.send("GET", path+"&format=csv", "")
	_, table, _ := strings.Cut(string(got.body), "\r\nbucket_start,")
	lines := strings.Split(strings.TrimSpace(table), "\r\n")[1:]
	if len(lines) != 36*3600 {
		t.Fatalf("%d lines", len(lines))
	}
	seconds := 0
	for i, line := range lines {
		at := time.Date(2025, 5, 27, 0, 0, i, 0, time.UTC).Format(time.RFC3339)
		if !strings.HasPrefix(line, at+",") {
			t.Fatalf("line %d is %s", i, line)
		}
		if strings.HasPrefix(line, at+",0,1,1,1,") || strings.HasPrefix(line, at+",2,1,3,3,") {
			seconds++
		}
	}
	if seconds != 90 {
		t.Errorf("load ran for %d s", seconds)
	}
	for query, field := range map[string]string{
		"&zeros=true": "zeros", "&task_template_name=nobody": "task_template_name", "&end=2035-01-01T00:00:00Z": "granularity",
	} {
		path := path + "&format=csv" + query
		if field == "granularity" {
			path = strings.Replace(path, "&end=2025-05-28T12:00:00Z", "", 1)
		}
		if got := f.send("GET", path, "").refused(400, "invalid"); got.Field == nil || *got.Field != field {
			t.Errorf("%s: %+v", query, got)
		}
	}
}
