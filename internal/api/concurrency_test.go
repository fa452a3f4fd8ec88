package api_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"tasktide/internal/api"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// load stores a run that is over and returns its workflow's id.
func (f *fixture) load(name string, tasks ...jobmon.TaskHistory) int64 {
	f.t.Helper()
	workflow, err := f.ledger.Import(f.t.Context(), store.Import{Name: name, Engine: "test", SourceHash: name}, tasks, nil)
	if err != nil {
		f.t.Fatal(err)
	}
	return workflow
}

// ran is a task that was in RUNNING for the half-open span [from, to).
func ran(name, template string, from, to time.Time) jobmon.TaskHistory {
	return jobmon.TaskHistory{Name: name, Template: template, Attempts: 1, Moves: []jobmon.Move{
		{To: jobmon.TaskRegistering, At: from.UnixMicro()},
		{To: jobmon.TaskQueued, At: from.UnixMicro()},
		{To: jobmon.TaskInstantiating, At: from.UnixMicro()},
		{To: jobmon.TaskRunning, At: from.UnixMicro()},
		{To: jobmon.TaskDone, At: to.UnixMicro()},
	}}
}

var noon = time.Date(2025, 5, 27, 12, 0, 0, 0, time.UTC)

// threeMinutes is: load runs over [12:00:30, 12:02:00), two of burst over [12:01:15, 12:01:35.5).
func (f *fixture) threeMinutes() int64 {
	f.t.Helper()
	burst := func(name string) jobmon.TaskHistory {
		return ran(name, "burst", noon.Add(75*time.Second), noon.Add(95500*time.Millisecond))
	}
	return f.load("three minutes", ran("a", "load", noon.Add(30*time.Second), noon.Add(2*time.Minute)), burst("b"), burst("c"))
}

func TestRows(t *testing.T) {
	f := newFixture(t)
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?start=2025-05-27T12:00:00Z&end=2025-05-27T12:03:00Z", f.threeMinutes())
	row := func(minute int, template string, count any) string {
		return fmt.Sprintf(`{"timestamp": "2025-05-27T12:0%d:00Z", "task_template_name": %q, "concurrent_count": %v}`, minute, template, count)
	}
	for query, want := range map[string][]string{
		"":           {row(1, "load", 1)},
		"&stat=mean": {row(0, "load", 0.5), row(1, "burst", 0.68), row(1, "load", 1)},
		"&stat=peak": {row(0, "load", 1), row(1, "burst", 2), row(1, "load", 1)},
		"&zeros=true": {row(0, "burst", 0), row(0, "load", 0), row(1, "burst", 0), row(1, "load", 1),
			row(2, "burst", 0), row(2, "load", 0)},
		"&stat=entered&status=D":                      {row(1, "burst", 2), row(2, "load", 1)},
		"&stat=peak&task_template_name=burst":         {row(1, "burst", 2)},
		"&status=G":                                   {},
		"&status=RUNNING&status=D&stat=start":         {row(1, "load", 1), row(2, "burst", 2), row(2, "load", 1)},
		"&status=PENDING&stat=entered&granularity=1h": {row(0, "burst", 2), row(0, "load", 1)},
	} {
		f.send("GET", path+query, "").is(`{"data": [` + strings.Join(want, ",") + `]}`)
	}
}

func TestColumns(t *testing.T) {
	f := newFixture(t)
	workflow := f.threeMinutes()
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=columns&stat=mean&start=2025-05-27T12:00:20Z&end=2025-05-27T12:02:01Z", workflow)
	got := f.send("GET", path, "")
	var generated struct {
		GeneratedAt time.Time `json:"generated_at"`
	}
	if err := json.Unmarshal(got.body, &generated); err != nil || time.Since(generated.GeneratedAt).Abs() > time.Hour {
		t.Errorf("generated at %v: %v", generated.GeneratedAt, err)
	}
	limit := func(scope, template string) string {
		return fmt.Sprintf(`{"scope":%q,"task_template_name":%s,"steps":[{"from":"2025-05-27T12:00:30Z","max_concurrently_running":null}],`+
			`"at_limit_seconds":0,"at_limit_share":0,"at_limit_resolution_seconds":0}`, scope, template)
	}
	want := fmt.Sprintf(`{"workflow_id":%d,"stat":"mean","statuses":["R"],`+
		`"window":{"start":"2025-05-27T12:00:00Z","end":"2025-05-27T12:03:00Z"},`+
		`"bucket":{"seconds":60,"first":"2025-05-27T12:00:00Z","count":3},`+
		`"series":[`+
		`{"task_template_name":"burst","values":[0,0.68,0],"peak":2,"peak_at":"2025-05-27T12:01:15Z","peak_is":"exact","task_seconds":41},`+
		`{"task_template_name":"load","values":[0.5,1,0],"peak":1,"peak_at":"2025-05-27T12:00:30Z","peak_is":"exact","task_seconds":90}],`+
		`"other":null,`+
		`"total":{"values":[0.5,1.68,0],"peaks":[1,3,0],"peak":3,"peak_at":"2025-05-27T12:01:15Z","peak_is":"exact","task_seconds":131},`+
		`"beside":[],"limits":[`+limit("workflow", "null")+","+limit("array", `"burst"`)+","+limit("array", `"load"`)+`],"partial_from":null,"generated_at":`, workflow)
	// To the letter: the order of members too.
	if !strings.HasPrefix(string(got.body), want) {
		t.Errorf("\n got %s\nwant %s", got.body, want)
	}
	end := regexp.MustCompile(`"values_are":"exact","version":"[0-9a-f]{32}","rows_from":null,"data_from":null}\n$`)
	if !end.Match(got.body) {
		t.Errorf("the answer ends with %s", got.body[len(want):])
	}
	got.ok()
}

// TestIdleTemplates: a template that did nothing in the window is left out, unless it is asked for.
func TestIdleTemplates(t *testing.T) {
	f := newFixture(t)
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=columns&start=2025-05-27T12:00:00Z&end=2025-05-27T12:01:00Z", f.threeMinutes())
	names := func(query string) string {
		series, _ := at(t, f.send("GET", path+query, "").ok(), "series").([]any)
		var names []string
		for _, s := range series {
			names = append(names, at(t, s, "task_template_name").(string))
		}
		return strings.Join(names, " ")
	}
	if got := names(""); got != "load" {
		t.Errorf("series %q", got)
	}
	if got := names("&task_template_name=burst&task_template_name=load"); got != "burst load" {
		t.Errorf("series %q when asked for", got)
	}
}

// TestWindows looks at where windows begin and end, and at what is not over yet.
func TestWindows(t *testing.T) {
	f := newFixture(t)
	b := f.bind("windows", 1)
	f.send("POST", fmt.Sprintf("/api/v3/task_instance/%d/log_running", f.queue(b)[0]), `{"next_report_increment": 60}`).ok()
	live := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=columns", b.workflow)
	for query, count := range map[string]int{
		"": 1440, "&time_range=1h": 60, "&time_range=6h&granularity=5m": 72, "&time_range=24h": 1440,
		"&time_range=7d": 10080, "&time_range=30d&granularity=30m": 1440, "&time_range=1h&granularity=10s": 360,
	} {
		got := f.send("GET", live+query, "").ok()
		var columns struct {
			Window      struct{ Start, End time.Time }
			Bucket      struct{ Seconds, Count int }
			Total       struct{ Peak int }
			PartialFrom time.Time `json:"partial_from"`
			GeneratedAt time.Time `json:"generated_at"`
		}
		text, _ := json.Marshal(got)
		if err := json.Unmarshal(text, &columns); err != nil {
			t.Fatal(err)
		}
		width := time.Duration(columns.Bucket.Seconds) * time.Second
		if columns.Bucket.Count != count || columns.Window.End.Sub(columns.Window.Start) != time.Duration(count)*width {
			t.Errorf("%s: %d buckets from %v to %v", query, columns.Bucket.Count, columns.Window.Start, columns.Window.End)
		}
		if now := columns.GeneratedAt; now.Before(columns.Window.End.Add(-width)) || !now.Before(columns.Window.End) {
			t.Errorf("%s: the last bucket of %v is not the one of %v", query, columns.Window.End, now)
		}
		if !columns.PartialFrom.Equal(columns.Window.End.Add(-width)) || columns.Total.Peak != 1 {
			t.Errorf("%s: partial from %v at %v, peak %d", query, columns.PartialFrom, columns.GeneratedAt, columns.Total.Peak)
		}
	}
	over := f.threeMinutes()
	all := f.send("GET", fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?format=columns&time_range=all&granularity=30s", over), "").ok()
	window, _ := json.Marshal(at(t, all, "window"))
	if want := `{"end":"2025-05-27T12:02:30Z","start":"2025-05-27T12:00:30Z"}`; string(window) != want {
		t.Errorf("all is %s, want %s", window, want)
	}
}

// TestBurstsBetweenTheMinutes: 50 tasks of 20 s at :15 of each minute are 0 at every whole minute and
// 50 in truth.
func TestBurstsBetweenTheMinutes(t *testing.T) {
	f := newFixture(t)
	var tasks []jobmon.TaskHistory
	for minute := range 5 {
		from := noon.Add(time.Duration(minute)*time.Minute + 15*time.Second)
		for i := range 50 {
			tasks = append(tasks, ran(fmt.Sprintf("%d-%d", minute, i), "burst", from, from.Add(20*time.Second)))
		}
	}
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?start=2025-05-27T12:00:00Z&end=2025-05-27T12:05:00Z", f.load("bursts", tasks...))
	f.send("GET", path, "").is(`{"data": []}`)
	columns := f.send("GET", path+"&stat=peak&format=columns", "").ok()
	if got := fmt.Sprint(at(t, columns, "total", "values")); got != "[50 50 50 50 50]" {
		t.Errorf("peaks %s", got)
	}
}

// TestLongAnswersAreWhole reads an answer that is streamed in many parts.
func TestLongAnswersAreWhole(t *testing.T) {
	f := newFixture(t)
	workflow := f.threeMinutes()
	got := f.send("GET", fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?zeros=true&granularity=1s&"+
		"start=2025-05-27T12:00:00Z&end=2025-05-27T18:00:00Z", workflow), "").ok()
	rows, _ := at(t, got, "data").([]any)
	if want := 6 * 3600 * 2; len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
}

func TestWorkflowList(t *testing.T) {
	f := newFixture(t)
	var ids []int64
	for i := range 5 {
		ids = append(ids, f.load(fmt.Sprintf("Run %d%%", i), ran("a", "load", noon, noon.Add(time.Second))))
	}
	b := f.bind("live", 1)
	list := func(query string) (found []int64, next any) {
		t.Helper()
		got := f.send("GET", "/api/v2/workflows"+query, "").ok()
		workflows, _ := at(t, got, "workflows").([]any)
		for _, w := range workflows {
			found = append(found, id(t, w, "id"))
		}
		return found, at(t, got, "next_cursor")
	}
	for query, want := range map[string][]int64{
		"":                               {b.workflow, ids[4], ids[3], ids[2], ids[1], ids[0]},
		"?search=run":                    {ids[4], ids[3], ids[2], ids[1], ids[0]},
		"?search=3%25":                   {ids[3]},
		"?search=nothing":                nil,
		"?search=":                       {b.workflow, ids[4], ids[3], ids[2], ids[1], ids[0]},
		"?status=R":                      {b.workflow},
		"?status=running":                {b.workflow},
		fmt.Sprint("?cursor=", ids[2]):   {ids[1], ids[0]},
		"?status=D&search=RUN&limit=200": {ids[4], ids[3], ids[2], ids[1], ids[0]},
	} {
		if found, next := list(query); fmt.Sprint(found) != fmt.Sprint(want) || next != nil {
			t.Errorf("%s: %v, next %v; want %v", query, found, next, want)
		}
	}
	var paged []int64
	query := "?limit=2"
	for pages := 0; ; pages++ {
		found, next := list(query)
		paged = append(paged, found...)
		if next == nil {
			if pages != 2 {
				t.Errorf("%d further pages", pages)
			}
			break
		}
		query = "?limit=2&cursor=" + next.(string)
	}
	if want, _ := list(""); fmt.Sprint(paged) != fmt.Sprint(want) {
		t.Errorf("pages %v, want %v", paged, want)
	}
}

// TestActivity: a list tells what each workflow does.
func TestActivity(t *testing.T) {
	f := newFixture(t)
	f.threeMinutes()
	b := f.bind("live", 3)
	f.send("POST", fmt.Sprintf("/api/v3/task_instance/%d/log_running", f.queue(b)[0]), `{"next_report_increment": 60}`).ok()
	got := f.send("GET", "/api/v2/workflows?activity=true", "").ok()
	for i, want := range []string{
		`{"peak_24h":1,"running":1,"tasks":{"A":0,"D":0,"E":0,"F":0,"G":0,"I":2,"O":0,"Q":0,"R":1}} 1`,
		`{"peak_24h":0,"running":0,"tasks":{"A":0,"D":3,"E":0,"F":0,"G":0,"I":0,"O":0,"Q":0,"R":0}} 0`,
	} {
		activity, _ := at(t, got, "workflows", i, "activity").(map[string]any)
		sparkline, _ := activity["sparkline"].([]any)
		delete(activity, "sparkline")
		delete(activity, "generated_at")
		if text, _ := json.Marshal(activity); len(sparkline) != 48 || fmt.Sprintf("%s %v", text, sparkline[47]) != want {
			t.Errorf("%s %v, want %s", text, sparkline, want)
		}
	}
	if got := f.send("GET", "/api/v2/workflows?activity=true&limit=51", "").refused(400, "invalid"); got.Field == nil || *got.Field != "limit" {
		t.Errorf("%+v", got)
	}
	if got := f.send("GET", "/api/v2/workflows", "").ok(); strings.Contains(fmt.Sprint(got), "sparkline") {
		t.Errorf("unasked: %v", got)
	}
}

func TestWorkflow(t *testing.T) {
	f := newFixture(t)
	workflow := f.threeMinutes()
	got, _ := f.send("GET", fmt.Sprintf("/api/v2/workflows/%d", workflow), "").ok().(map[string]any)
	for member, want := range map[string]any{
		"name": "three minutes", "status": "D", "status_name": "DONE", "active": false,
		"first_transition_at": "2025-05-27T12:00:30Z", "last_transition_at": "2025-05-27T12:02:00Z",
		"max_concurrently_running": json.Number(fmt.Sprint(math.MaxInt32)),
	} {
		if got[member] != want {
			t.Errorf("%s is %v, want %v", member, got[member], want)
		}
	}
	f.send("GET", fmt.Sprintf("/api/v2/workflow/%d/task_templates", workflow), "").is(`{"task_templates": ["burst", "load"]}`)
	b := f.bind("live", 1)
	live, _ := f.send("GET", fmt.Sprintf("/api/v2/workflows/%d", b.workflow), "").ok().(map[string]any)
	if live["user"] != "ada" || live["tool"] != "live" || live["active"] != false {
		t.Errorf("%v", live)
	}
	f.queue(b)
	if live, _ = f.send("GET", fmt.Sprintf("/api/v2/workflows/%d", b.workflow), "").ok().(map[string]any); live["active"] != true {
		t.Errorf("%v", live)
	}
}

func TestServer(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Demo, c.DatabaseURL = true, new("sqlite:///srv/runs.db") })
	f.send("GET", "/api/v2/server", "").is(`{"version": "v1.2.3", "demo": true, "telemetry": false, "database_url": "sqlite:///srv/runs.db", "login": "none", "user": null}`)
	f.send("GET", "/healthz", "").is(`{"status": "ok"}`)
	f.send("GET", "/api/openapi.json", "").ok()
}

// TestDatabaseGone: everything that needs the database says so and asks to try again.
func TestDatabaseGone(t *testing.T) {
	f := newFixture(t)
	if err := f.store.Close(); err != nil {
		t.Fatal(err)
	}
	f.send("GET", "/healthz", "").is(`{"status": "ok"}`)
	for _, path := range []string{"/api/v2/workflows", "/api/v2/workflow/1/task_concurrency", "/api/v3/time"} {
		got := f.send("GET", path, "")
		got.refused(http.StatusServiceUnavailable, "unavailable")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", path)
		}
	}
}

// TestDeadline: a request that takes too long is told so, and not what broke because of it.
func TestDeadline(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.StateTimeout, c.ReadTimeout = time.Nanosecond, time.Nanosecond })
	for _, path := range []string{"/api/v2/workflows", "/api/v3/time"} {
		if got := f.send("GET", path, "").refused(http.StatusServiceUnavailable, "unavailable"); !strings.Contains(got.Message, "took longer") {
			t.Errorf("%s: %s", path, got.Message)
		}
	}
	if f.log.Len() > 0 {
		t.Errorf("logged: %s", f.log)
	}
}

// TestPanic: a defect is an internal error that tells the client nothing and the log everything.
func TestPanic(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.Timeline = nil })
	got := f.send("GET", fmt.Sprintf("/api/v2/workflow/%d/task_concurrency", f.threeMinutes()), "").
		refused(http.StatusInternalServerError, "internal")
	if strings.Contains(got.Message, "nil pointer") || !strings.Contains(f.log.String(), "nil pointer") ||
		strings.Count(f.log.String(), "a request failed") != 1 || !strings.Contains(f.log.String(), "concurrency.go") {
		t.Errorf("told %q, logged %s", got.Message, f.log)
	}
}

// TestWithoutUI: there is nothing outside the API.
func TestWithoutUI(t *testing.T) {
	w := httptest.NewRecorder()
	api.New(api.Config{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", http.NoBody))
	if w.Code != http.StatusNotFound || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
