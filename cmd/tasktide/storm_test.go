package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/store/sqlite"
)

// stormTasks is how many tasks the storm moves, each four times: queued, instantiated, running, done.
const (
	stormTasks   = 2_500
	stormMoves   = 4 * stormTasks
	stormWriters = 16
	stormBatch   = 25
)

// storm drives the tasks of one workflow through a server's state routes and remembers what it was
// told is done.
type storm struct {
	t       *testing.T
	url     string
	client  *http.Client
	arrayID int64
	runID   int64
	tasks   []int64

	moved atomic.Int64
	mu    sync.Mutex
	// What was told to have been entered after REGISTERING: QUEUED by task, the rest by instance.
	byTask, byInstance map[int64]string
}

// TestKilledInAStorm kills the server without warning while 10,000 moves are under way and starts it
// again: what was told done is there once, nothing is there twice, and every chain is whole.
func TestKilledInAStorm(t *testing.T) {
	for name, after := range map[string]int64{
		"while queueing":      stormTasks / 2,
		"while instantiating": stormTasks * 3 / 2,
		"while running":       stormTasks * 3,
	} {
		t.Run(name, func(t *testing.T) {
			database := tempDatabase(t)
			server := start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
			s := &storm{
				t: t, url: server.url + "/api/v3", byTask: map[int64]string{}, byInstance: map[int64]string{},
				client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: stormWriters}},
			}
			workflowID := s.bind()
			s.run(func(moved int64) {
				if moved >= after {
					_ = server.process.Process.Kill()
				}
			})
			_ = server.wait()

			server = start(t, "serve", "--database-url", database, "--listen", "127.0.0.1:0")
			path := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency?stat=entered&status=R", workflowID)
			if status, body := server.get(path); status != http.StatusOK {
				t.Errorf("the timeline after the restart: %d %s", status, body)
			}
			s.verify(database, workflowID)
			if moved := s.moved.Load(); moved < after || moved == stormMoves {
				t.Errorf("%d of %d moves were told done; the kill was to come after %d", moved, stormMoves, after)
			} else {
				t.Logf("%d of %d moves were told done before the kill", moved, stormMoves)
			}
		})
	}
}

// verify compares the database with what the storm was told.
func (s *storm) verify(database string, workflowID int64) {
	s.t.Helper()
	db, err := sqlite.Open(context.Background(), database)
	if err != nil {
		s.t.Fatal(err)
	}
	defer db.Close()
	err = db.View(context.Background(), func(ctx context.Context, snapshot store.Snapshot) error {
		stored := map[int64]string{}
		last := map[int64]jobmon.Transition{}
		for row, err := range snapshot.Transitions(ctx, store.TransitionFilter{WorkflowID: workflowID, Before: 1 << 62}) {
			if err != nil {
				return err
			}
			if before := last[row.TaskID]; row.From != before.To || row.PreviousAt != before.At || row.At < before.At {
				s.t.Errorf("task %d: %+v does not follow %+v", row.TaskID, row, before)
			}
			last[row.TaskID] = row
			stored[row.TaskID] += row.To.String()
		}
		instances, err := snapshot.Instances(ctx, store.InstanceFilter{WorkflowID: workflowID})
		if err != nil {
			return err
		}
		told := s.byTask
		for _, instance := range instances {
			told[instance.TaskID] += s.byInstance[instance.ID]
		}
		found := 0
		for task, err := range snapshot.Tasks(ctx, store.TaskFilter{WorkflowID: workflowID}) {
			if err != nil {
				return err
			}
			found++
			if last[task.ID].To != task.Status || last[task.ID].At != task.StatusAt {
				s.t.Errorf("task %d is %s, its last audit row says %s", task.ID, task.Status, last[task.ID].To)
			}
			// One move more than was told may be there: its answer was on the way when the server died.
			const life = "GQIRD"
			told := "G" + told[task.ID]
			if got := stored[task.ID]; !strings.HasPrefix(life, got) || len(got) < len(told) || len(got) > len(told)+1 {
				s.t.Errorf("task %d was told to have entered %s; the audit has %s", task.ID, told, got)
			}
		}
		if found != stormTasks {
			s.t.Errorf("%d tasks are stored, want %d", found, stormTasks)
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// run moves all tasks step by step, several writers at a time, until each is done or the server is
// gone. It tells moved, after each answer, how many moves are done.
func (s *storm) run(moved func(int64)) {
	told := func(by map[int64]string, status string, ids ...int64) {
		s.mu.Lock()
		for _, id := range ids {
			by[id] += status
		}
		s.mu.Unlock()
		moved(s.moved.Add(int64(len(ids))))
	}
	inParallel(s.tasks, stormBatch, func(tasks []int64) {
		if s.post(nil, "/array/%d/queue_task_batch", map[string]any{
			"task_ids": tasks, "task_resources_id": 1, "workflow_run_id": s.runID, "cluster_id": 3,
		}, s.arrayID) {
			told(s.byTask, "Q", tasks...)
		}
	})
	var queued struct {
		StatusUpdates map[string][]int64 `json:"status_updates"`
	}
	if !s.post(&queued, "/workflow_run/%d/sync_status", map[string]any{"task_instance_ids": []int64{}, "status": "Q"}, s.runID) {
		return
	}
	instances := queued.StatusUpdates["Q"]
	inParallel(instances, stormBatch, func(ids []int64) {
		if s.post(nil, "/task_instance/instantiate_task_instances", map[string]any{"task_instance_ids": ids}) {
			told(s.byInstance, "I", ids...)
		}
	})
	inParallel(instances, stormBatch, func(ids []int64) {
		for _, id := range ids {
			running := map[string]any{"nodename": "n", "process_group_id": "1", "next_report_increment": 60}
			if !s.post(nil, "/task_instance/%d/log_running", running, id) {
				return
			}
			told(s.byInstance, "R", id)
			done := map[string]any{
				"stdout": "", "stderr": "", "stdout_log": "", "stderr_log": "", "nodename": "n", "distributor_id": "1",
			}
			if !s.post(nil, "/task_instance/%d/log_done", done, id) {
				return
			}
			told(s.byInstance, "D", id)
		}
	})
}

// inParallel has stormWriters do work on batches of ids.
func inParallel(ids []int64, size int, work func([]int64)) {
	batches := make(chan []int64)
	var writers sync.WaitGroup
	for range stormWriters {
		writers.Go(func() {
			for batch := range batches {
				work(batch)
			}
		})
	}
	for batch := range slices.Chunk(ids, size) {
		batches <- batch
	}
	close(batches)
	writers.Wait()
}

// post sends one request and reports whether it was answered with 200.
func (s *storm) post(answer any, path string, body any, args ...any) bool {
	return s.send(http.MethodPost, answer, path, body, args...)
}

func (s *storm) send(method string, answer any, path string, body any, args ...any) bool {
	content, err := json.Marshal(body)
	if err != nil {
		s.t.Error(err)
		return false
	}
	request, err := http.NewRequest(method, s.url+fmt.Sprintf(path, args...), bytes.NewReader(content))
	if err != nil {
		s.t.Error(err)
		return false
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := s.client.Do(request)
	if err != nil {
		return false // the server was killed
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return false
	}
	if response.StatusCode != http.StatusOK {
		s.t.Errorf("%s %s: %d %s", method, request.URL.Path, response.StatusCode, got)
		return false
	}
	if answer != nil {
		if err := json.Unmarshal(got, answer); err != nil {
			s.t.Errorf("%s %s: %v in %s", method, request.URL.Path, err, got)
			return false
		}
	}
	return true
}

// bind registers a workflow of stormTasks tasks with a run, and returns its id.
func (s *storm) bind() int64 {
	s.t.Helper()
	need := func(ok bool) {
		s.t.Helper()
		if !ok {
			s.t.Fatal("the workflow could not be bound")
		}
	}
	need(s.post(nil, "/tool", map[string]any{"name": "storm"}))
	need(s.post(nil, "/tool_version", map[string]any{"tool_id": 1}))
	need(s.post(nil, "/task_template", map[string]any{"tool_version_id": 1, "task_template_name": "gust"}))
	need(s.post(nil, "/task_template/1/add_version", map[string]any{
		"command_template": "true", "arg_mapping_hash": 1, "node_args": []string{}, "task_args": []string{}, "op_args": []string{},
	}))
	need(s.post(nil, "/dag", map[string]any{"dag_hash": 1}))
	var workflow struct {
		ID int64 `json:"workflow_id"`
	}
	need(s.post(&workflow, "/workflow", map[string]any{
		"tool_version_id": 1, "dag_id": 1, "workflow_args_hash": 1, "task_hash": 1, "description": "", "name": "storm",
		"workflow_args": "", "max_concurrently_running": jobmon.NoLimit, "workflow_attributes": map[string]string{},
	}))
	var array struct {
		ID int64 `json:"array_id"`
	}
	need(s.post(&array, "/array", map[string]any{
		"task_template_version_id": 1, "workflow_id": workflow.ID, "max_concurrently_running": jobmon.NoLimit, "name": "gust",
	}))
	s.arrayID = array.ID
	need(s.post(nil, "/task/bind_resources", map[string]any{
		"queue_id": 3, "task_resources_type_id": "O", "requested_resources": map[string]any{},
	}))
	for start := 0; start < stormTasks; start += 500 {
		s.bindTasks(workflow.ID, start, min(start+500, stormTasks), need)
	}
	var run struct {
		ID int64 `json:"workflow_run_id"`
	}
	need(s.post(&run, "/workflow_run", map[string]any{
		"workflow_id": workflow.ID, "user": "storm", "jobmon_version": "3.7.0", "next_report_increment": 60,
	}))
	s.runID = run.ID
	for _, status := range []string{"B", "I", "O", "R"} {
		need(s.send(http.MethodPut, nil, "/workflow_run/%d/update_status", map[string]any{"status": status}, run.ID))
	}
	return workflow.ID
}

func (s *storm) bindTasks(workflowID int64, start, end int, need func(bool)) {
	s.t.Helper()
	var nodes []any
	for i := start; i < end; i++ {
		nodes = append(nodes, map[string]any{
			"task_template_version_id": 1, "node_args_hash": fmt.Sprint(i), "node_args": map[string]string{},
		})
	}
	var registered struct {
		Nodes map[string]int64 `json:"nodes"`
	}
	need(s.post(&registered, "/nodes", map[string]any{"nodes": nodes}))
	tasks := map[string]any{}
	for i := start; i < end; i++ {
		tasks[fmt.Sprint(i)] = []any{
			registered.Nodes[fmt.Sprintf("1:%d", i)], "1", s.arrayID, 1, fmt.Sprintf("gust %d", i), "true", 3, false,
			map[string]any{}, []any{},
		}
	}
	var bound struct {
		Tasks map[string][]any `json:"tasks"`
	}
	need(s.send(http.MethodPut, &bound, "/task/bind_tasks_no_args",
		map[string]any{"workflow_id": workflowID, "tasks": tasks, "mark_created": end == stormTasks}))
	for _, task := range bound.Tasks {
		id := int64(task[0].(float64))
		s.tasks = append(s.tasks, id)
	}
}
