package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzStateBodies sends anything to every route that reads a body: the answer is JSON, and never a
// failure of the server.
func FuzzStateBodies(f *testing.F) {
	fixture := newFixture(f)
	fixture.bind("fuzz", 2)
	var routes []string
	for path, item := range fixture.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.RequestBody != nil && strings.HasPrefix(path, "/api/v3") {
				routes = append(routes, method+" "+placeholder.ReplaceAllString(path, "1"))
			}
		}
	}
	slices.Sort(routes)
	for i, route := range routes {
		if seed(route) == "" {
			f.Fatalf("%s has no seed", route)
		}
		f.Add(uint8(i), `{}`)
		f.Add(uint8(i), seed(route))
	}
	f.Add(uint8(0), `{"tool_id": 1e400, "name": "\ud800", "tasks": {"a": [[[[]]]]}, "nodes": null}`)
	f.Fuzz(func(t *testing.T, route uint8, body string) {
		method, path, _ := strings.Cut(routes[int(route)%len(routes)], " ")
		w := httptest.NewRecorder()
		fixture.mux.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		if w.Code >= http.StatusInternalServerError || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %q: %d %s %s", method, path, body, w.Code, w.Body, fixture.log)
		}
		decode(t, w.Body.Bytes())
	})
}

// seed is a body that a route understands.
func seed(route string) string {
	_, name, _ := strings.Cut(route, "/api/v3/")
	return map[string]string{
		"tool": `{"name": "t"}`, "tool_version": `{"tool_id": 1}`,
		"task_template":               `{"tool_version_id": 1, "task_template_name": "u"}`,
		"task_template/1/add_version": `{"command_template": "c", "arg_mapping_hash": 12, "node_args": ["a"], "task_args": ["b"], "op_args": ["a"]}`,
		"nodes":                       `{"nodes": [{"task_template_version_id": 1, "node_args_hash": "12", "node_args": {"1": "v"}}]}`,
		"dag":                         `{"dag_hash": 563854559705569966}`,
		"dag/1/edges":                 `{"edges_to_add": [{"node_id": 1, "upstream_node_ids": [2], "downstream_node_ids": null}], "mark_created": true}`,
		"workflow": `{"tool_version_id": 1, "dag_id": 1, "workflow_args_hash": 1, "task_hash": 2, "description": null, "name": "n",
			"workflow_args": "a", "max_concurrently_running": 7, "workflow_attributes": {"k": "v", "n": 1.5, "b": true}}`,
		"array":               `{"task_template_version_id": 1, "workflow_id": 1, "max_concurrently_running": 9, "name": "x"}`,
		"task/bind_resources": `{"queue_id": 1, "task_resources_type_id": "V", "requested_resources": {"stdout": "/o", "cores": 1}}`,
		"task/bind_tasks_no_args": `{"workflow_id": 1, "tasks": {"77": [1, "88", 1, 1, "n", "c", 3, false, {"memory": 0.5}, ["q"]]},
			"mark_created": false}`,
		"workflow_run":                             `{"workflow_id": 1, "user": "u", "jobmon_version": "3.7.0", "next_report_increment": 6.2}`,
		"workflow_run/1/update_status":             `{"status": "B"}`,
		"workflow_run/1/sync_status":               `{"task_instance_ids": [1, 2], "status": "Q"}`,
		"workflow_run/1/log_heartbeat":             `{"status": "R", "next_report_increment": 6.2}`,
		"array/1/queue_task_batch":                 `{"task_ids": [1, 2], "task_resources_id": 1, "workflow_run_id": 1, "cluster_id": 1}`,
		"task_instance/instantiate_task_instances": `{"task_instance_ids": [1, 2]}`,
		"array/1/transition_to_launched":           `{"batch_number": 1, "next_report_increment": 279.0}`,
		"array/1/transition_to_killed":             `{"batch_number": 1}`,
		"task_instance/1/log_running":              `{"nodename": "n", "process_group_id": "1", "next_report_increment": 1, "distributor_id": "1"}`,
		"task_instance/1/log_done":                 `{"stdout": "o", "maxrss": 5, "cpu": "0.0"}`,
		"task_instance/1/log_error_worker_node":    `{"error_state": "Z", "error_description": "d"}`,
		"task/1/set_resume_state":                  `{"reset_if_running": true}`,
		"task/update_statuses":                     `{"workflow_id": 1, "task_ids": [1], "new_status": "D", "recursive": true}`,
		"workflow/1/reset":                         `{"partial_reset": true}`,
	}[name]
}

// FuzzConcurrencyQuery asks for anything: the answer is JSON, and never a failure of the server.
func FuzzConcurrencyQuery(f *testing.F) {
	fixture := newFixture(f)
	fixture.threeMinutes()
	for _, query := range []string{
		"", "time_range=all&granularity=auto&stat=mean&format=columns", "start=2025-05-27T12:00:00Z&end=2025-05-27T12:03:00%2B00:30&zeros=true",
		"status=R&status=PENDING&task_template_name=load", "start=9999-12-31T23:59:59.999999Z&granularity=1d", "start=1970-01-01T00:00:00.000001Z",
	} {
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		w := httptest.NewRecorder()
		request := httptest.NewRequest(http.MethodGet, "/api/v2/workflow/1/task_concurrency", http.NoBody)
		request.URL = &url.URL{Path: request.URL.Path, RawQuery: query}
		fixture.mux.ServeHTTP(w, request)
		if w.Code >= http.StatusInternalServerError || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%q: %d %.300s %s", query, w.Code, w.Body, fixture.log)
		}
		decode(t, w.Body.Bytes())
	})
}
