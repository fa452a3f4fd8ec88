package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tasktide/internal/jobmon"
)

// retried is a task that runs for a minute, fails, and runs for half a minute more a minute later.
func retried(name, template string, start time.Time) jobmon.TaskHistory {
	task := jobmon.TaskHistory{Name: name, Template: template, Attempts: 2}
	for _, to := range []struct {
		path  string
		after time.Duration
	}{{"GQIOR", 0}, {"EG", time.Minute}, {"QIOR", 2 * time.Minute}, {"D", 150 * time.Second}} {
		for _, status := range to.path {
			task.Moves = append(task.Moves, jobmon.Move{To: jobmon.TaskStatus(status), At: start.Add(to.after).UnixMicro()})
		}
	}
	return task
}

// TestSplitByAttempt: later attempts are a series of their own, where there are any.
func TestSplitByAttempt(t *testing.T) {
	f := newFixture(t)
	workflow := f.load("run", retried("1", "again", noon), ran("2", "again", noon, noon.Add(3*time.Minute)), ran("3", "once", noon, noon.Add(time.Minute)))
	path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?split=attempt&stat=peak&start=2025-05-27T12:00:00Z&end=2025-05-27T12:04:00Z", workflow)
	got := f.send("GET", path+"&format=columns", "").ok()
	series, _ := json.Marshal(at(t, got, "series"))
	want := `[{"attempts":"first","peak":2,"peak_at":"2025-05-27T12:00:00Z","peak_is":"exact","task_seconds":240,"task_template_name":"again","values":[2,1,1,0]},` +
		`{"attempts":"later","peak":1,"peak_at":"2025-05-27T12:02:00Z","peak_is":"exact","task_seconds":30,"task_template_name":"again","values":[0,0,1,0]},` +
		`{"attempts":"first","peak":1,"peak_at":"2025-05-27T12:00:00Z","peak_is":"exact","task_seconds":60,"task_template_name":"once","values":[1,0,0,0]}]`
	if string(series) != want || fmt.Sprint(at(t, got, "total", "values")) != "[3 1 2 0]" {
		t.Errorf("\n got %s\nwant %s\n%v", series, want, at(t, got, "total"))
	}
	f.send("GET", path+"&task_template_name=again", "").is(`{"data": [
		{"timestamp": "2025-05-27T12:00:00Z", "task_template_name": "again", "attempts": "first", "concurrent_count": 2},
		{"timestamp": "2025-05-27T12:01:00Z", "task_template_name": "again", "attempts": "first", "concurrent_count": 1},
		{"timestamp": "2025-05-27T12:02:00Z", "task_template_name": "again", "attempts": "first", "concurrent_count": 1},
		{"timestamp": "2025-05-27T12:02:00Z", "task_template_name": "again", "attempts": "later", "concurrent_count": 1}]}`)
	table := string(f.send("GET", path+"&format=csv&top=1", "").body)
	_, table, _ = strings.Cut(table, "\r\nbucket_start,")
	if table != "again (first attempts),again (later attempts),other (1 templates),total,total_peak,limit\r\n"+
		"2025-05-27T12:00:00Z,2,0,1,3,3,\r\n2025-05-27T12:01:00Z,1,0,0,1,1,\r\n2025-05-27T12:02:00Z,1,1,0,2,2,\r\n2025-05-27T12:03:00Z,0,0,0,0,0,\r\n" {
		t.Errorf("the table is %q", table)
	}
	other := f.load("other", retried("1", "again", noon))
	compared := f.send("GET", fmt.Sprintf("/api/v2/workflow/%d/compare?with=%d&split=attempt", workflow, other), "").ok()
	if attempts := at(t, compared, "workflows", 1, "concurrency", "series", 1, "attempts"); attempts != "later" {
		t.Errorf("compared: %v", attempts)
	}
	for _, split := range []string{"", "template", "attempts"} {
		path := strings.Replace(path, "split=attempt", "split="+split, 1)
		if got := f.send("GET", path, "").refused(400, "invalid"); got.Field == nil || *got.Field != "split" {
			t.Errorf("split=%s: %+v", split, got)
		}
	}
}

// TestTemplateStats: what became of the tasks of each template.
func TestTemplateStats(t *testing.T) {
	f := newFixture(t)
	workflow := f.load("run", retried("1", "again", noon), ran("2", "again", noon, noon.Add(3*time.Minute)),
		jobmon.TaskHistory{Name: "3", Template: "cached", Moves: []jobmon.Move{{To: 'G', At: noon.UnixMicro()}, {To: 'D', At: noon.UnixMicro()}}})
	path := fmt.Sprintf("/api/v2/workflow/%d/templates", workflow)
	got := f.send("GET", path, "")
	generated, _ := at(t, got.ok(), "generated_at").(string)
	tasks := func(done int) string {
		return fmt.Sprintf(`{"G": 0, "Q": 0, "I": 0, "O": 0, "R": 0, "D": %d, "E": 0, "A": 0, "F": 0}`, done)
	}
	// 30 s and 3 min, in the middles of their classes.
	got.is(fmt.Sprintf(`{"workflow_id": %d, "run_time_error": 0.0078125, "data_from": null, "generated_at": %q, "templates": [
		{"task_template_name": "again", "tasks": %s, "attempts": 3, "retries": 1, "failed_attempts": 1, "runs": {"count": 2, "seconds": {
			"p10": 30.015488, "p25": 30.015488, "p50": 30.015488, "p75": 179.306496, "p90": 179.306496, "p99": 179.306496, "max": 179.306496}}},
		{"task_template_name": "cached", "tasks": %s, "attempts": 0, "retries": 0, "failed_attempts": 0, "runs": {"count": 0, "seconds": null}}]}`,
		workflow, generated, tasks(2), tasks(1)))
	f.send("GET", "/api/v2/workflow/999/templates", "").refused(404, "not_found")
	f.send("GET", path+"?top=3", "").refused(400, "invalid")
}
