package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tasktide/internal/api"
	"tasktide/internal/auth"
	"tasktide/internal/limit"
	"tasktide/internal/store"
)

// FuzzBodies sends anything to every route that reads a body: the answer is JSON, and never a
// failure of the server.
func FuzzBodies(f *testing.F) {
	fixture := newFixture(f)
	fixture.bind("fuzz", 2)
	var routes []string
	for path, item := range fixture.doc.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.RequestBody != nil && (strings.HasPrefix(path, "/api/v3") || path == "/api/v2/telemetry") {
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
		if w.Code == http.StatusNoContent {
			return
		}
		if w.Code >= http.StatusInternalServerError || w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %q: %d %s %s", method, path, body, w.Code, w.Body, fixture.log)
		}
		decode(t, w.Body.Bytes())
	})
}

// seed is a body that a route understands.
func seed(route string) string {
	if strings.HasSuffix(route, "/telemetry") {
		return `{"renders_ms": [3, 1.5], "exports": ["png"], "visit": {"filters": 3, "replaces": 2}}`
	}
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

// FuzzQueries asks every route that is read for anything, cursors among it: the answer is never a failure of the server.
func FuzzQueries(f *testing.F) {
	fixture := newFixture(f)
	workflow := fixture.threeMinutes()
	bound := fixture.bind("fuzz", 2)
	fixture.queue(bound)
	var routes []operation
	for _, o := range operationsOf(fixture.doc) {
		if o.method == http.MethodGet {
			routes = append(routes, o)
		}
	}
	var cursors []string
	for _, path := range []string{
		"/api/v2/workflows?limit=1", "/api/v2/workflow/2/tasks?limit=1", "/api/v2/workflow/2/task_status_changes?limit=1",
	} {
		if next, is := at(f, fixture.send("GET", path, "").ok(), "next_cursor").(string); is {
			cursors = append(cursors, next)
		}
	}
	if len(cursors) < 2 || workflow != 1 || bound.workflow != 2 {
		f.Fatalf("cursors %q of workflows %d and %d", cursors, workflow, bound.workflow)
	}
	for i, o := range routes {
		query := url.Values{}
		for _, name := range o.query {
			query.Set(name, example(name))
		}
		f.Add(uint8(i), "1", "")
		f.Add(uint8(i), "2", query.Encode())
		for _, cursor := range cursors {
			f.Add(uint8(i), "2", "limit=1&cursor="+cursor)
		}
	}
	for _, query := range []string{
		"time_range=all&granularity=auto&stat=mean&format=columns", "start=2025-05-27T12:00:00Z&end=2025-05-27T12:03:00%2B00:30&zeros=true",
		"status=R&status=PENDING&task_template_name=load", "start=9999-12-31T23:59:59.999999Z&granularity=1d", "start=1970-01-01T00:00:00.000001Z",
		"time_range=all&format=csv&split=attempt&top=1", "with=2&offset_seconds=-9223372036854775808&duration_seconds=9223372036854775807", "limit=1&cursor=x",
	} {
		for i := range routes {
			f.Add(uint8(i), "1", query)
		}
	}
	f.Fuzz(func(t *testing.T, route uint8, segment, query string) {
		pattern := routes[int(route)%len(routes)].pattern
		request := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		request.URL = &url.URL{Path: placeholder.ReplaceAllLiteralString(pattern, segment), RawQuery: query}
		w := httptest.NewRecorder()
		fixture.mux.ServeHTTP(w, request)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%s %q %q: %d %.300s %s", pattern, segment, query, w.Code, w.Body, fixture.log)
		}
		if !strings.HasPrefix(w.Header().Get("Content-Type"), "text/csv") {
			decode(t, w.Body.Bytes())
		}
	})
}

// FuzzHeaders sends anything that tells who asks, and whatever else of a header is read: it never gets in without the
// token, and never makes the server fail.
func FuzzHeaders(f *testing.F) {
	cookies := auth.NewCookies(secret)
	fixture := newFixture(f, func(c *api.Config) {
		c.Guard = &api.Guard{Cookies: cookies, Tokens: c.Catalog.(store.Tokens)}
		c.Rates = limit.NewRates(60_000)
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
		if err := c.Guard.Policy.Readers.UnmarshalText([]byte("members")); err != nil {
			f.Fatal(err)
		}
	})
	token, stored, err := auth.NewToken("fuzz", "ada", []string{"read", "state"}, time.Now(), time.Now().Add(24*time.Hour))
	if err != nil {
		f.Fatal(err)
	}
	if _, err := fixture.store.AddToken(f.Context(), stored); err != nil {
		f.Fatal(err)
	}
	fixture.threeMinutes()
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	f.Add("Bearer "+token, "", "*", "zstd, gzip", "198.51.100.1", trace, "")
	f.Add("Basic YWRhOnRhc2t0aWRlXw==", "{}", `W/"1-2", "x"`, "gzip;q=0", "a, 192.0.2.1", trace+"-", "null")
	f.Add("", `{"preferred_username": "ada", "groups": ["x"], "sub": 7}`, "", "identity, *;q=0", "::1, fe80::1%eth0", "", "https://a.example")
	f.Add("Bearer tasktide_"+strings.Repeat("A", 43), `[]`, "W/", "br", ",", "00-0-0-0", "x")
	f.Fuzz(func(t *testing.T, authorization, user, has, codings, forwarded, traceparent, origin string) {
		request := httptest.NewRequest(http.MethodGet, "/api/v2/workflow/1/task_concurrency?time_range=all&format=columns", http.NoBody)
		session := user
		if signed, err := cookies.Sign(auth.Session{"user": json.RawMessage(user)}, time.Now()); err == nil {
			session = signed
		}
		for name, value := range map[string]string{
			"Authorization": authorization, "Cookie": "session=" + session, "If-None-Match": has, "Accept-Encoding": codings,
			"X-Forwarded-For": forwarded, "Traceparent": traceparent, "Origin": origin,
		} {
			request.Header.Set(name, value)
		}
		w := httptest.NewRecorder()
		fixture.mux.ServeHTTP(w, request)
		if w.Code >= http.StatusInternalServerError {
			t.Errorf("%v: %d %.300s %s", request.Header, w.Code, w.Body, fixture.log)
		}
		if w.Code < 400 && !strings.Contains(authorization, token) && !json.Valid([]byte(user)) {
			t.Errorf("%v: %d", request.Header, w.Code)
		}
	})
}
