package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
)

const writers = 20

// together sends one request from each of 20 clients at once and returns the answers.
func together(f *fixture, request func(writer int) (path, body string)) []answer {
	f.t.Helper()
	answers := make([]answer, writers)
	begin := make(chan struct{})
	var all sync.WaitGroup
	for writer := range writers {
		all.Go(func() {
			path, body := request(writer)
			<-begin
			answers[writer] = f.send(http.MethodPost, path, body)
		})
	}
	close(begin)
	all.Wait()
	for _, a := range answers {
		a.ok()
	}
	return answers
}

// TestManyWriters: of 20 clients that move the same tasks, one moves them, and all are told what
// holds then.
func TestManyWriters(t *testing.T) {
	f := newFixture(t)
	b := f.bind("writers", 8)
	same := func(answers []answer) {
		t.Helper()
		for _, a := range answers {
			a.is(string(answers[0].body))
		}
	}

	queued := together(f, func(int) (string, string) {
		return fmt.Sprintf("/api/v3/array/%d/queue_task_batch", b.array), f.queueBody(b)
	})
	same(queued)
	queued[0].is(fmt.Sprintf(`{"tasks_by_status": {"Q": %s}}`, list(b.tasks)))
	sync := f.send("POST", fmt.Sprintf("/api/v3/workflow_run/%d/sync_status", b.run), `{"task_instance_ids": [], "status": "Q"}`).ok()
	instances, _ := at(t, sync, "status_updates", "Q").([]any)
	if len(instances) != len(b.tasks) {
		t.Fatalf("%d instances of %d tasks", len(instances), len(b.tasks))
	}
	var ids []int64
	for i := range instances {
		ids = append(ids, id(t, sync, "status_updates", "Q", i))
	}

	same(together(f, func(int) (string, string) {
		return "/api/v3/task_instance/instantiate_task_instances", fmt.Sprintf(`{"task_instance_ids": %s}`, list(ids))
	}))
	same(together(f, func(int) (string, string) {
		return fmt.Sprintf("/api/v3/array/%d/transition_to_launched", b.array), `{"batch_number": 1, "next_report_increment": 60}`
	}))
	for _, instance := range ids {
		same(together(f, func(int) (string, string) {
			return fmt.Sprintf("/api/v3/task_instance/%d/log_running", instance), `{"next_report_increment": 60}`
		}))
		// Half of them say that it succeeded, half that it failed: one of them is believed, by all.
		same(together(f, func(writer int) (string, string) {
			if writer%2 == 0 {
				return fmt.Sprintf("/api/v3/task_instance/%d/log_done", instance), `{}`
			}
			return fmt.Sprintf("/api/v3/task_instance/%d/log_error_worker_node", instance),
				`{"error_state": "E", "error_description": "boom"}`
		}))
	}
	f.checkAudit(b.workflow)
	for task, rows := range f.audit(b.workflow) {
		if got := path(rows); got != "GQIORD" && got != "GQIOREG" {
			t.Errorf("task %d went %s", task, got)
		}
	}
	for _, task := range f.tasks(b.workflow) {
		if task.NumAttempts != 1 {
			t.Errorf("task %d has %d attempts", task.ID, task.NumAttempts)
		}
	}
}

// TestManyClientsBind: of clients that bind the same workflow at once, one creates it.
func TestManyClientsBind(t *testing.T) {
	f := newFixture(t)
	b := f.bind("binders", 1)
	answers := together(f, func(int) (string, string) {
		return "/api/v3/workflow", fmt.Sprintf(`{"tool_version_id": %d, "dag_id": %d, "workflow_args_hash": 1, "task_hash": 2,
			"max_concurrently_running": 5}`, b.toolVersion, b.dag)
	})
	created := 0
	for _, a := range answers {
		created += strings.Count(string(a.body), `"newly_created":true`)
		if got, want := id(t, a.ok(), "workflow_id"), id(t, answers[0].ok(), "workflow_id"); got != want {
			t.Errorf("workflows %d and %d", got, want)
		}
	}
	if created != 1 {
		t.Errorf("created %d times", created)
	}
}
