package api_test

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"tasktide/internal/jobmon"
)

func TestTasksAt(t *testing.T) {
	f := newFixture(t)
	workflow := f.threeMinutes()
	path := fmt.Sprintf("/api/v2/workflow/%d/tasks?at=", workflow)
	task := func(name, template string, since, until string, seconds, total float64) string {
		id := map[string]int{"a": 1, "b": 2, "c": 3}[name]
		return fmt.Sprintf(`{"id": %d, "name": %q, "task_template_name": %q, "status": "R", "status_name": "RUNNING", "since": %q, "until": %q,
			"seconds": %v, "total_seconds": %v, "attempt": 1, "nodename": null}`, id, name, template, since, until, seconds, total)
	}
	a := func(seconds float64) string {
		return task("a", "load", "2025-05-27T12:00:30Z", "2025-05-27T12:02:00Z", seconds, 90)
	}
	burst := func(name string, seconds float64) string {
		return task(name, "burst", "2025-05-27T12:01:15Z", "2025-05-27T12:01:35.5Z", seconds, 20.5)
	}
	for query, want := range map[string]struct {
		at, statuses, tasks string
		level               int
	}{
		"2025-05-27T12:00:29.999999Z":                         {"2025-05-27T12:00:29.999999Z", `["R"]`, "", 0},
		"2025-05-27T14:00:30%2B02:00":                         {"2025-05-27T12:00:30Z", `["R"]`, a(0), 1},
		"2025-05-27T12:01:35Z&status=ACTIVE":                  {"2025-05-27T12:01:35Z", `["Q", "I", "O", "R"]`, a(65) + "," + burst("b", 20) + "," + burst("c", 20), 3},
		"2025-05-27T12:01:35Z&task_template_name=burst":       {"2025-05-27T12:01:35Z", `["R"]`, burst("b", 20) + "," + burst("c", 20), 2},
		"2025-05-27T12:01:35.5Z&status=RUNNING&status=Q":      {"2025-05-27T12:01:35.5Z", `["Q", "R"]`, a(65.5), 1},
		"2025-05-27T12:01:35.499999Z&task_template_name=load": {"2025-05-27T12:01:35.499999Z", `["R"]`, a(65.499999), 1},
	} {
		got := f.send("GET", path+query, "")
		generated, _ := at(t, got.ok(), "generated_at").(string)
		got.is(fmt.Sprintf(`{"workflow_id": %d, "at": %q, "statuses": %s, "level": %d, "tasks": [%s], "next_cursor": null,
			"generated_at": %q, "rows_from": null}`, workflow, want.at, want.statuses, want.level, want.tasks, generated))
	}
	done := f.send("GET", fmt.Sprintf("/api/v2/workflow/%d/tasks?status=DONE&limit=2", workflow), "").ok()
	if len(at(t, done, "tasks").([]any)) != 2 || at(t, done, "at") != at(t, done, "generated_at") || id(t, done, "level") != 3 {
		t.Errorf("now: %v", done)
	}
	if first := at(t, done, "tasks", 0); at(t, first, "until") != nil || at(t, first, "total_seconds") != nil || at(t, first, "name") != "b" {
		t.Errorf("the first that is done: %v", first)
	}
}

func TestTasksPageByPage(t *testing.T) {
	f := newFixture(t)
	var tasks []jobmon.TaskHistory
	for i := range 7 {
		tasks = append(tasks, ran(fmt.Sprint(i), "load", noon.Add(-time.Duration(i/2)*time.Minute), noon.Add(time.Hour)))
	}
	workflow := f.load("run", tasks...)
	path := fmt.Sprintf("/api/v2/workflow/%d/tasks", workflow)
	var names []string
	query := url.Values{"limit": {"2"}, "at": {noon.Format(time.RFC3339)}, "task_template_name": {"load"}}
	for pages := 1; ; pages++ {
		page := f.send("GET", path+"?"+query.Encode(), "").ok()
		if id(t, page, "level") != 7 || at(t, page, "at") != "2025-05-27T12:00:00Z" {
			t.Errorf("page %d: %v", pages, page)
		}
		for _, task := range at(t, page, "tasks").([]any) {
			names = append(names, at(t, task, "name").(string))
		}
		next, more := at(t, page, "next_cursor").(string)
		if !more {
			if got := fmt.Sprint(names); got != "[6 4 5 2 3 0 1]" || pages != 4 {
				t.Errorf("%d pages of %s", pages, got)
			}
			break
		}
		query.Set("cursor", next)
		if query.Set("limit", "2"); pages > 1 {
			query.Del("at") // the cursor holds it
		}
	}
	cursor := query.Get("cursor")
	other := f.load("other", tasks...)
	f.check([]refusal{
		{"GET", path + "?cursor=" + cursor, "", 400, "invalid", "cursor", "another query"},
		{"GET", path + "?task_template_name=load&status=D&cursor=" + cursor, "", 400, "invalid", "cursor", "another query"},
		{"GET", fmt.Sprintf("/api/v2/workflow/%d/tasks?task_template_name=load&cursor=%s", other, cursor), "", 400, "invalid", "cursor", "another query"},
		{"GET", path + "?task_template_name=load&cursor=" + cursor[1:], "", 400, "invalid", "cursor", "damaged"},
		{"GET", path + "?task_template_name=load&at=2025-05-27T12:00:01Z&cursor=" + cursor, "", 400, "invalid", "cursor", "2025-05-27T12:00:00Z"},
	})
}

func TestTasksThatAreRefused(t *testing.T) {
	f := newFixture(t)
	path := fmt.Sprintf("/api/v2/workflow/%d/tasks", f.threeMinutes())
	f.check([]refusal{
		{"GET", "/api/v2/workflow/999/tasks", "", 404, "not_found", "", "999"},
		{"GET", path + "?at=9999-12-31T23:59:59.999999Z", "", 400, "invalid", "at", "future"},
		{"GET", path + "?at=noon", "", 400, "invalid", "at", "2022-05-13T03:24:00Z"},
		{"GET", path + "?at=", "", 400, "invalid", "at", "2022-05-13T03:24:00Z"},
		{"GET", path + "?at=2025-05-27T12:00:00Z&at=2025-05-27T12:00:00Z", "", 400, "invalid", "at", "only once"},
		{"GET", path + "?status=BUSY", "", 400, "invalid", "status", "PENDING"},
		{"GET", path + "?status=", "", 400, "invalid", "status", "PENDING"},
		{"GET", path + "?task_template_name=nobody", "", 400, "invalid", "task_template_name", "nobody"},
		{"GET", path + "?limit=0", "", 400, "invalid", "limit", "1 to 1000"},
		{"GET", path + "?limit=1001", "", 400, "invalid", "limit", "1 to 1000"},
		{"GET", path + "?limit=x", "", 400, "invalid", "limit", "1 to 1000"},
		{"GET", path + "?cursor=12", "", 400, "invalid", "cursor", "damaged"},
		{"GET", path + "?time=now", "", 400, "invalid", "time", "cursor"},
	})
	if f.log.Len() > 0 {
		t.Errorf("refusals were logged as well as returned: %s", f.log)
	}
}

// TestTasksOfARun: what JobMon's client and its workers report is there at once, with where each attempt runs.
func TestTasksOfARun(t *testing.T) {
	f := newFixture(t)
	b := f.bind("run", 2)
	instances := f.queue(b)
	path := fmt.Sprintf("/api/v2/workflow/%d/tasks", b.workflow)
	running := fmt.Sprintf("/api/v3/task_instance/%d/log_running", instances[1])
	f.send("POST", running, `{"nodename": "node-7", "process_group_id": "1", "next_report_increment": 60}`).ok()
	page := f.send("GET", path, "").ok()
	task := at(t, page, "tasks", 0)
	if id(t, page, "level") != 1 || id(t, task, "id") != b.tasks[1] || id(t, task, "attempt") != 1 || at(t, task, "nodename") != "node-7" ||
		at(t, task, "name") != "sleep_1" || at(t, task, "until") != nil {
		t.Errorf("running: %v", page)
	}
	page = f.send("GET", path+"?status=PENDING", "").ok()
	if task := at(t, page, "tasks", 0); id(t, task, "id") != b.tasks[0] || at(t, task, "nodename") != nil || at(t, task, "status") != "I" {
		t.Errorf("pending: %v", page)
	}
}
