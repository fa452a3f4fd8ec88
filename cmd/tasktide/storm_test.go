package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/testdb"
)

// stormTasks is how many tasks the storm moves, each four times: queued, instantiated, running, done.
const (
	stormTasks   = 2_500
	stormMoves   = 4 * stormTasks
	stormWriters = 16
	stormBatch   = 25
)

// stormTemplates have every third task each.
var stormTemplates = []string{"breeze", "gust", "squall"}

// storm drives the tasks of one workflow through a server's state routes, and remembers which moves it
// asked for and which of them it was told are done.
type storm struct {
	t          *testing.T
	url        string
	client     *http.Client
	workflowID int64
	runID      int64
	arrays     []int64 // of each template
	tasks      [][]int64
	// failed hears of a request that was not answered with 200, and decides whether it is sent again.
	failed func(w writer, attempt int, what string, r reply) (again bool)

	mu      sync.Mutex // of what follows
	changed *sync.Cond
	byTask  moves          // to QUEUED
	later   moves          // what comes after it, by instance
	told    map[string]int // how many moves to a status were told done
	asked   map[string]int
	batches []batch
	over    bool
}

// moves holds the statuses that each task or instance was to enter, and was told to have, in order.
type moves struct{ asked, told map[int64]string }

// batch holds tasks that were to be queued, or instances that were to be instantiated, in one request.
type batch struct {
	to  string
	ids []int64
}

func newStorm(t *testing.T, server *program) *storm {
	t.Helper()
	s := &storm{
		t: t, url: server.url, told: map[string]int{}, asked: map[string]int{},
		byTask: moves{map[int64]string{}, map[int64]string{}},
		later:  moves{map[int64]string{}, map[int64]string{}},
		client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * stormWriters}, Timeout: time.Minute},
	}
	s.changed = sync.NewCond(&s.mu)
	t.Cleanup(s.client.CloseIdleConnections)
	return s
}

// change changes the storm and lets those know who wait for something of it.
func (s *storm) change(do func()) {
	s.mu.Lock()
	do()
	s.mu.Unlock()
	s.changed.Broadcast()
}

// await waits until a condition of the storm holds, or the storm is over.
func (s *storm) await(condition func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.over && !condition() {
		s.changed.Wait()
	}
}

// TestKilledInAStorm kills the server without warning while 10,000 moves are under way and starts it
// again: what was told done is there once, nothing is there twice, and every chain is whole.
func TestKilledInAStorm(t *testing.T) {
	for name, status := range map[string]string{"while queueing": "Q", "while instantiating": "I", "while running": "R"} {
		t.Run(name, func(t *testing.T) {
			database := tempDatabase(t)
			server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
			s := newStorm(t, server)
			s.failed = func(_ writer, _ int, what string, r reply) bool {
				if r.err == nil {
					t.Errorf("%s: %s", what, r)
				}
				s.change(func() { s.over = true }) // the server was killed
				return false
			}
			s.bind()
			var killer sync.WaitGroup
			killer.Go(func() {
				s.await(func() bool { return s.told[status] >= stormTasks/2 })
				_ = server.process.Process.Kill()
			})
			s.run()
			killer.Wait()
			_ = server.wait()
			if told := s.told[status]; told < stormTasks/2 || told == stormTasks {
				t.Errorf("%d of %d moves to %s were told done; the kill was to come after half of them", told, stormTasks, status)
			}

			server = start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
			server.compareTimeline(t, s.workflowID, s.verify(testdb.SQLite, database))
		})
	}
}

// run moves all tasks step by step, several writers at a time, until each is done or given up.
func (s *storm) run() {
	defer s.change(func() { s.over = true })
	for i, tasks := range s.tasks {
		s.inParallel(slices.Chunk(tasks, stormBatch), func(w writer, tasks []int64) {
			w.move(s.byTask, "Q", tasks, "/array/%d/queue_task_batch", map[string]any{
				"task_ids": tasks, "task_resources_id": 1, "workflow_run_id": s.runID, "cluster_id": 3,
			}, s.arrays[i])
		})
	}
	var queued struct {
		StatusUpdates map[string][]int64 `json:"status_updates"`
	}
	if !s.first().post(&queued, "/workflow_run/%d/sync_status",
		map[string]any{"task_instance_ids": []int64{}, "status": "Q"}, s.runID) {
		return
	}
	instances := queued.StatusUpdates["Q"]
	s.inParallel(slices.Chunk(instances, stormBatch), func(w writer, ids []int64) {
		w.move(s.later, "I", ids, "/task_instance/instantiate_task_instances", map[string]any{"task_instance_ids": ids})
	})
	// The batches above are parts of the list, which has to stay as it is.
	instances = slices.DeleteFunc(slices.Clone(instances), func(id int64) bool { return s.later.told[id] == "" })
	s.inParallel(slices.Chunk(instances, stormBatch), func(w writer, ids []int64) {
		for id := range slices.Chunk(ids, 1) {
			_ = w.move(s.later, "R", id, "/task_instance/%d/log_running", map[string]any{
				"nodename": "n", "process_group_id": "1", "next_report_increment": 60,
			}, id[0]) && w.move(s.later, "D", id, "/task_instance/%d/log_done", map[string]any{
				"stdout": "", "stderr": "", "stdout_log": "", "stderr_log": "", "nodename": "n", "distributor_id": "1",
			}, id[0])
		}
	})
}

// writer is one of those that make the storm.
type writer struct {
	*storm
	number int
}

func (s *storm) first() writer { return writer{s, 0} }

// inParallel has stormWriters do work on batches of ids.
func (s *storm) inParallel(batches iter.Seq[[]int64], work func(w writer, ids []int64)) {
	waiting := make(chan []int64)
	var writers sync.WaitGroup
	for number := range stormWriters {
		writers.Go(func() {
			for ids := range waiting {
				work(writer{s, number}, ids)
			}
		})
	}
	for ids := range batches {
		waiting <- ids
	}
	close(waiting)
	writers.Wait()
}

// moved is an answer that tells of moves: each route has a member of it.
type moved struct {
	TasksByStatus map[string][]int64   `json:"tasks_by_status"`
	Batches       [][5]json.RawMessage `json:"task_instance_batches"`
	Instance      []any                `json:"task_instance"`
	Status        string               `json:"status"`
}

// done returns those of the ids that were asked for of which the answer says that they are in a status.
func (m moved) done(status string, ids []int64) []int64 {
	done := m.TasksByStatus[status]
	for _, batch := range m.Batches {
		var members []int64
		if json.Unmarshal(batch[4], &members) == nil {
			done = append(done, members...)
		}
	}
	if m.Status == status || len(m.Instance) > 1 && m.Instance[1] == status {
		done = ids
	}
	return slices.Sorted(slices.Values(done))
}

// move asks for a move unless the storm is over, and reports whether it was told done.
func (w writer) move(by moves, to string, ids []int64, path string, body map[string]any, args ...any) bool {
	over := false
	w.change(func() {
		if over = w.over; over {
			return
		}
		w.asked[to] += len(ids)
		w.batches = append(w.batches, batch{to, ids})
		for _, id := range ids {
			by.asked[id] += to
		}
	})
	var answer moved
	if over || !w.post(&answer, path, body, args...) {
		return false
	}
	if done := answer.done(to, ids); !slices.Equal(done, slices.Sorted(slices.Values(ids))) {
		w.t.Errorf("%s of %v: the answer tells of %v in %s", path, ids, done, to)
		return false
	}
	w.change(func() {
		w.told[to] += len(ids)
		for _, id := range ids {
			by.told[id] += to
		}
	})
	return true
}

// post sends one request, again where it failed and the storm wants it, and reports whether it was
// answered with 200.
func (w writer) post(answer any, path string, body any, args ...any) bool {
	return w.send(http.MethodPost, answer, path, body, args...)
}

func (w writer) send(method string, answer any, path string, body any, args ...any) bool {
	content, err := json.Marshal(body)
	if err != nil {
		w.t.Error(err)
		return false
	}
	path = "/api/v3" + fmt.Sprintf(path, args...)
	for attempt := 1; ; attempt++ {
		r := w.exchange(method, path, content)
		if r.err == nil && r.status == http.StatusOK {
			if err := json.Unmarshal(r.body, answer); err != nil {
				w.t.Errorf("%s %s: %v in %s", method, path, err, r)
				return false
			}
			return true
		}
		if !w.failed(w, attempt, method+" "+path, r) {
			return false
		}
	}
}

// reply is what came back of a request.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (r reply) String() string { return fmt.Sprintf("%d %s %v", r.status, r.body, r.err) }

func (s *storm) exchange(method, path string, content []byte) reply {
	request, err := http.NewRequest(method, s.url+path, bytes.NewReader(content))
	if err != nil {
		return reply{err: err}
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return reply{err: err}
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return reply{response.StatusCode, response.Header, body, err}
}

// bind registers a workflow of stormTasks tasks with a run.
func (s *storm) bind() {
	s.t.Helper()
	need := func(ok bool) {
		s.t.Helper()
		if !ok {
			s.t.Fatal("the workflow could not be bound")
		}
	}
	w := s.first()
	var ignored any
	need(w.post(&ignored, "/tool", map[string]any{"name": "storm"}))
	need(w.post(&ignored, "/tool_version", map[string]any{"tool_id": 1}))
	need(w.post(&ignored, "/dag", map[string]any{"dag_hash": 1}))
	var workflow struct {
		ID int64 `json:"workflow_id"`
	}
	need(w.post(&workflow, "/workflow", map[string]any{
		"tool_version_id": 1, "dag_id": 1, "workflow_args_hash": 1, "task_hash": 1, "description": "", "name": "storm",
		"workflow_args": "", "max_concurrently_running": jobmon.NoLimit, "workflow_attributes": map[string]string{},
	}))
	s.workflowID = workflow.ID
	for i, name := range stormTemplates {
		need(w.post(&ignored, "/task_template", map[string]any{"tool_version_id": 1, "task_template_name": name}))
		need(w.post(&ignored, "/task_template/%d/add_version", map[string]any{
			"command_template": "true", "arg_mapping_hash": 1, "node_args": []string{}, "task_args": []string{}, "op_args": []string{},
		}, i+1))
		var array struct {
			ID int64 `json:"array_id"`
		}
		need(w.post(&array, "/array", map[string]any{
			"task_template_version_id": i + 1, "workflow_id": workflow.ID, "max_concurrently_running": jobmon.NoLimit, "name": name,
		}))
		s.arrays, s.tasks = append(s.arrays, array.ID), append(s.tasks, nil)
	}
	need(w.post(&ignored, "/task/bind_resources", map[string]any{
		"queue_id": 3, "task_resources_type_id": "O", "requested_resources": map[string]any{},
	}))
	for start := 0; start < stormTasks; start += 500 {
		s.bindTasks(start, min(start+500, stormTasks), need)
	}
	var run struct {
		ID int64 `json:"workflow_run_id"`
	}
	need(w.post(&run, "/workflow_run", map[string]any{
		"workflow_id": workflow.ID, "user": "storm", "jobmon_version": "3.7.0", "next_report_increment": 60,
	}))
	s.runID = run.ID
	for _, status := range []string{"B", "I", "O", "R"} {
		need(w.send(http.MethodPut, &ignored, "/workflow_run/%d/update_status", map[string]any{"status": status}, run.ID))
	}
}

func (s *storm) bindTasks(start, end int, need func(bool)) {
	s.t.Helper()
	var nodes []any
	for i := start; i < end; i++ {
		nodes = append(nodes, map[string]any{
			"task_template_version_id": 1 + i%len(s.arrays), "node_args_hash": fmt.Sprint(i), "node_args": map[string]string{},
		})
	}
	var registered struct {
		Nodes map[string]int64 `json:"nodes"`
	}
	need(s.first().post(&registered, "/nodes", map[string]any{"nodes": nodes}))
	tasks := map[string]any{}
	for i := start; i < end; i++ {
		template := i % len(s.arrays)
		tasks[fmt.Sprint(i)] = []any{
			registered.Nodes[fmt.Sprintf("%d:%d", 1+template, i)], "1", s.arrays[template], 1, fmt.Sprintf("task %d", i), "true", 3,
			false, map[string]any{}, []any{},
		}
	}
	var bound struct {
		Tasks map[string][]any `json:"tasks"`
	}
	need(s.first().send(http.MethodPut, &bound, "/task/bind_tasks_no_args",
		map[string]any{"workflow_id": s.workflowID, "tasks": tasks, "mark_created": end == stormTasks}))
	for i := start; i < end; i++ {
		template := i % len(s.arrays)
		s.tasks[template] = append(s.tasks[template], int64(bound.Tasks[fmt.Sprint(i)][0].(float64)))
	}
}
