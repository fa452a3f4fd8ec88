package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tasktide/internal/jobmon"
)

// taskHistory is the history of a task as a client reads it.
type taskHistory struct {
	Status  string    `json:"status"`
	Since   time.Time `json:"since"`
	History []struct {
		Status   string     `json:"status"`
		From     time.Time  `json:"from"`
		Until    *time.Time `json:"until"`
		Duration float64    `json:"duration_seconds"`
		Attempt  *int64     `json:"attempt"`
	} `json:"history"`
	HistoryFrom *time.Time `json:"history_from"`
	Instances   []struct {
		Attempt int64 `json:"attempt"`
		ID      int64 `json:"id"`
		Errors  []struct {
			Description string `json:"description"`
		} `json:"errors"`
	} `json:"instances"`
	Truncated   bool      `json:"truncated"`
	GeneratedAt time.Time `json:"generated_at"`
}

func historyPath(task int64) string { return fmt.Sprintf("/api/v2/task/%d/status_history", task) }

func (f *fixture) history(task int64) (h taskHistory) {
	f.t.Helper()
	got := f.send("GET", historyPath(task), "")
	got.ok()
	if err := json.Unmarshal(got.body, &h); err != nil {
		f.t.Fatal(err)
	}
	return h
}

// life writes the stays as letters with the numbers of their attempts, such as G Q1 R1 D1, and demands that each
// ends where the next begins and that the last one lasts until the answer's instant.
func (h taskHistory) life(t *testing.T) string {
	t.Helper()
	var words []string
	for i, stay := range h.History {
		word := stay.Status
		if stay.Attempt != nil {
			word += fmt.Sprint(*stay.Attempt)
		}
		words = append(words, word)
		end := h.GeneratedAt
		if i+1 < len(h.History) {
			end = h.History[i+1].From
			if stay.Until == nil || !stay.Until.Equal(end) {
				t.Errorf("stay %d ends at %v, the next begins at %v", i, stay.Until, end)
			}
		} else if stay.Until != nil || stay.Status != h.Status || !stay.From.Equal(h.Since) {
			t.Errorf("the last stay is %+v; the task is in %s since %v", stay, h.Status, h.Since)
		}
		if want := float64(end.Sub(stay.From).Microseconds()) / 1e6; stay.Duration != want {
			t.Errorf("stay %d lasts %v s, want %v", i, stay.Duration, want)
		}
	}
	return strings.Join(words, " ")
}

// attempt queues the first task, runs it and reports what comes of it.
func (f *fixture) attempt(b bound, report, body string) (instance int64) {
	f.t.Helper()
	b.tasks = b.tasks[:1]
	instance = f.queue(b)[0]
	f.send("POST", fmt.Sprintf("/api/v3/task_instance/%d/log_running", instance),
		`{"nodename": "node-1", "process_group_id": "7", "next_report_increment": 90, "distributor_id": "88"}`).ok()
	f.send("POST", fmt.Sprintf("/api/v3/task_instance/%d/%s", instance, report), body).ok()
	return instance
}

func TestStatusHistory(t *testing.T) {
	f := newFixture(t)
	b := f.bind("history", 2)
	if life := f.history(b.tasks[0]).life(t); life != "G" {
		t.Errorf("a task that was only bound: %s", life)
	}
	first := f.attempt(b, "log_error_worker_node", `{"error_state": "E", "error_description": "exit code 1: 🌊", "maxrss": "12"}`)
	second := f.attempt(b, "log_done", `{"maxrss": "558", "cpu": "0.5", "wallclock": "1.02"}`)
	h := f.history(b.tasks[0])
	if life := h.life(t); life != "G Q1 I1 R1 E1 G Q2 I2 R2 D2" || h.HistoryFrom != nil || h.Truncated {
		t.Errorf("a task that was tried again: %s, from %v, truncated: %t", life, h.HistoryFrom, h.Truncated)
	}
	got := f.send("GET", historyPath(b.tasks[0]), "").ok()
	told := func(path ...any) string { return at(t, got, path...).(string) }
	instance := func(number int, id int64, status, rest string) string {
		return fmt.Sprintf(`{"attempt": %d, "id": %d, "workflow_run_id": %d, "status": %s, "status_at": %q, "submitted_at": null,
			"nodename": "node-1", "distributor_id": "88", "cluster": null, "queue": null,
			"requested_resources": {"cores": 1, "stdout": "/out"}, %s}`, number, id, b.run, status, told("instances", number-1, "status_at"), rest)
	}
	failed := instance(1, first, `"E", "status_name": "ERROR"`, fmt.Sprintf(
		`"max_rss": "12", "wallclock": null, "cpu": null, "errors": [{"at": %q, "description": "exit code 1: 🌊"}]`,
		told("instances", 0, "errors", 0, "at")))
	done := instance(2, second, `"D", "status_name": "DONE"`, `"max_rss": "558", "wallclock": "1.02", "cpu": "0.5", "errors": []`)
	stays, err := json.Marshal(at(t, got, "history"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	answer{t: t, what: "the history", status: 200, body: again}.is(fmt.Sprintf(`{
		"id": %d, "name": "sleep_0", "workflow_id": %d, "task_template_name": "sleep", "status": "D", "status_name": "DONE", "since": %q,
		"num_attempts": 2, "max_attempts": 2, "history": %s, "history_from": null, "instances": [%s, %s], "truncated": false,
		"generated_at": %q}`, b.tasks[0], b.workflow, told("since"), stays, failed, done, told("generated_at")))

	// Attempts go on being counted when a reset has forgotten how many there were.
	f.send("PUT", "/api/v3/task/update_statuses", fmt.Sprintf(
		`{"workflow_id": %d, "task_ids": [%d], "new_status": "G"}`, b.workflow, b.tasks[0])).ok()
	f.attempt(b, "log_done", `{}`)
	if life := f.history(b.tasks[0]).life(t); life != "G Q1 I1 R1 E1 G Q2 I2 R2 D2 G Q3 I3 R3 D3" {
		t.Errorf("a task that was set back: %s", life)
	}
	if other := f.history(b.tasks[1]); other.life(t) != "G" || len(other.Instances) != 0 {
		t.Errorf("another task: %+v", other)
	}
	f.check([]refusal{
		{"GET", historyPath(999), "", 404, "not_found", "", "there is no task 999"},
		{"GET", historyPath(0), "", 400, "invalid", "task_id", "from 1"},
		{"GET", "/api/v2/task/x/status_history", "", 400, "invalid", "task_id", "whole number"},
		{"GET", historyPath(b.tasks[0]) + "?limit=1", "", 400, "invalid", "limit", "takes none"},
	})
}

// TestHistoryAfterRetention removes the rows of a task one after the other: the stay that ended with the first
// that is left is told all the same, and each attempt keeps its number. So it is while the rows are still there.
func TestHistoryAfterRetention(t *testing.T) {
	f := newFixture(t)
	b := f.bind("retention", 1)
	f.attempt(b, "log_error_worker_node", `{"error_state": "E", "error_description": "boom"}`)
	f.attempt(b, "log_done", `{}`)
	whole := f.history(b.tasks[0])
	letters := strings.Fields(whole.life(t))
	if len(letters) != 10 {
		t.Fatalf("the life is %v", letters)
	}
	for removed := 1; removed <= len(letters); removed++ {
		from := whole.GeneratedAt
		if removed < len(letters) {
			from = whole.History[removed].From
			if from.Equal(whole.History[removed-1].From) {
				continue // one instant is removed or kept as a whole
			}
		}
		f.removeRows(b.workflow, from, removed%2*everyRow)
		h := f.history(b.tasks[0])
		want := append([]string{}, letters[removed-1:]...)
		if strings.HasPrefix(want[0], "D") {
			want[0] = "D" // a task may be set to DONE without any attempt
		}
		if life := h.life(t); life != strings.Join(want, " ") {
			t.Errorf("without %d rows: %s, want %v", removed, life, want)
		}
		if h.HistoryFrom == nil || !h.HistoryFrom.Equal(from) || h.Truncated || len(h.Instances) != 2 || h.Status != "D" {
			t.Errorf("without %d rows: %+v, want it from %v", removed, h, from)
		}
	}
}

func TestHistoryThatBeginsAfterWhatWasRemoved(t *testing.T) {
	f := newFixture(t)
	workflow := f.threeMinutes()
	f.removeRows(workflow, noon.Add(time.Minute), everyRow)
	for _, c := range []struct {
		task int
		want string
		cut  bool
	}{{0, "R1 D1", true}, {1, "G Q1 I1 R1 D1", false}} {
		h := f.history(f.tasks(workflow)[c.task].ID)
		if life := h.life(t); life != c.want || (h.HistoryFrom != nil) != c.cut || len(h.Instances) != 0 {
			t.Errorf("%s, from %v, want %s", life, h.HistoryFrom, c.want)
		}
	}
}

func TestHistoryOfAnImportedTask(t *testing.T) {
	f := newFixture(t)
	cached := jobmon.TaskHistory{Name: "cached", Template: "t", Moves: []jobmon.Move{
		{To: jobmon.TaskRegistering, At: noon.UnixMicro()}, {To: jobmon.TaskDone, At: noon.UnixMicro()},
	}}
	retried := jobmon.TaskHistory{Name: "retried", Template: "t", Attempts: 2}
	for i, letter := range "GQIOREGQIORD" {
		retried.Moves = append(retried.Moves, jobmon.Move{To: jobmon.TaskStatus(letter), At: noon.UnixMicro() + int64(i)})
	}
	workflow := f.load("run", cached, retried)
	for i, want := range []string{"G D", "G Q1 I1 O1 R1 E1 G Q2 I2 O2 R2 D2"} {
		h := f.history(f.tasks(workflow)[i].ID)
		if life := h.life(t); life != want || len(h.Instances) != 0 || h.HistoryFrom != nil {
			t.Errorf("%s with %d instances, want %s", life, len(h.Instances), want)
		}
	}
}

// TestHistoryIsBounded tells the latest part of a life that has more transitions than an answer may have.
func TestHistoryIsBounded(t *testing.T) {
	f := newFixture(t)
	task := jobmon.TaskHistory{Name: "restless", Template: "t", Moves: []jobmon.Move{{To: jobmon.TaskRegistering, At: noon.UnixMicro()}}}
	for len(task.Moves) < 10_002 {
		task.Attempts++
		for _, letter := range "QIREG" {
			task.Moves = append(task.Moves, jobmon.Move{To: jobmon.TaskStatus(letter), At: noon.UnixMicro() + int64(len(task.Moves))})
		}
	}
	workflow := f.load("run", task)
	h := f.history(f.tasks(workflow)[0].ID)
	words := strings.Fields(h.life(t))
	last := fmt.Sprintf("Q%[1]d I%[1]d R%[1]d E%[1]d G", task.Attempts)
	if len(words) != 10_001 || !h.Truncated || h.HistoryFrom != nil || strings.Join(words[len(words)-5:], " ") != last {
		t.Errorf("%d stays, truncated: %t, from %v, the last of them %v, want %s",
			len(words), h.Truncated, h.HistoryFrom, words[len(words)-5:], last)
	}
	// What was left out is in the audit.
	rows := f.changes(changesPath(workflow), map[string][]string{"limit": {"1000"}}).Changes
	if len(rows) != 1000 || rows[0].NewStatus != "G" {
		t.Errorf("the audit begins with %+v", rows[:min(1, len(rows))])
	}
}
