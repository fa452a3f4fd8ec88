package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tasktide/internal/api"
)

// refusal is a request that is refused, and what the answer must say.
type refusal struct {
	method, path, body string
	status             int
	code, field        string
	says               string
}

func (f *fixture) check(cases []refusal) {
	f.t.Helper()
	for _, c := range cases {
		got := f.send(c.method, c.path, c.body).refused(c.status, c.code)
		field := ""
		if got.Field != nil {
			field = *got.Field
		}
		if field != c.field || !strings.Contains(got.Message, c.says) {
			f.t.Errorf("%s %s %.80s: field %q, message %q; want field %q and %q", c.method, c.path, c.body, field, got.Message, c.field, c.says)
		}
	}
}

func TestBadReadRequests(t *testing.T) {
	f := newFixture(t)
	b := f.bind("bad", 1)
	concurrency := fmt.Sprintf("/api/v2/workflow/%d/task_concurrency", b.workflow)
	f.check([]refusal{
		{"GET", "/api/v2/workflow/999/task_concurrency", "", 404, "not_found", "", "999"},
		{"GET", "/api/v2/workflow/999/task_templates", "", 404, "not_found", "", "999"},
		{"GET", "/api/v2/workflows/999", "", 404, "not_found", "", "999"},
		{"GET", "/api/v2/workflows/abc", "", 400, "invalid", "workflow_id", "whole number"},
		{"GET", "/api/v2/workflows/0", "", 400, "invalid", "workflow_id", "from 1"},
		{"GET", "/api/v2/workflows/99999999999999999999", "", 400, "invalid", "workflow_id", "whole number"},
		{"GET", concurrency + "?start=2022-05-13T04:00:00Z&end=2022-05-13T03:00:00Z", "", 400, "invalid", "end", "after start"},
		{"GET", concurrency + "?start=2022-05-13T04:00:00Z&end=2022-05-13T04:00:00Z", "", 400, "invalid", "end", "after start"},
		{"GET", concurrency + "?end=2022-05-13T04:00:00Z", "", 400, "invalid", "start", "start"},
		{"GET", concurrency + "?time_range=1h&start=2022-05-13T04:00:00Z", "", 400, "invalid", "time_range", "not both"},
		{"GET", concurrency + "?granularity=2m", "", 400, "invalid", "granularity", "30s"},
		{"GET", concurrency + "?granularity=", "", 400, "invalid", "granularity", "minute"},
		{"GET", concurrency + "?granularity=auto&max_points=0", "", 400, "invalid", "max_points", "1 to 50000"},
		{"GET", concurrency + "?granularity=auto&max_points=-1", "", 400, "invalid", "max_points", "1 to 50000"},
		{"GET", concurrency + "?granularity=auto&max_points=x", "", 400, "invalid", "max_points", "1 to 50000"},
		{"GET", concurrency + "?granularity=auto&max_points=", "", 400, "invalid", "max_points", "1 to 50000"},
		{"GET", concurrency + "?granularity=auto&max_points=1.5", "", 400, "invalid", "max_points", "1 to 50000"},
		{"GET", concurrency + "?granularity=auto&max_points=50001", "", 400, "invalid", "max_points", "1 to 50000"},
		{"GET", concurrency + "?time_range=2h", "", 400, "invalid", "time_range", "24h"},
		{"GET", concurrency + "?stat=max", "", 400, "invalid", "stat", "peak"},
		{"GET", concurrency + "?format=xml", "", 400, "invalid", "format", "columns"},
		{"GET", concurrency + "?zeros=1", "", 400, "invalid", "zeros", "true or false"},
		{"GET", concurrency + "?status=BUSY", "", 400, "invalid", "status", "PENDING"},
		{"GET", concurrency + "?task_template_name=nobody", "", 400, "invalid", "task_template_name", "nobody"},
		{"GET", concurrency + "?time_range=7d&granularity=1s", "", 400, "invalid", "granularity", "50000"},
		{"GET", concurrency + "?start=1970-01-02T00:00:00Z&end=9999-12-31T00:00:00Z&granularity=auto", "", 400, "invalid", "granularity", "50000"},
		{"GET", concurrency + "?start=yesterday", "", 400, "invalid", "start", "2022-05-13T03:24:00Z"},
		{"GET", concurrency + "?start=2022-05-13T04:00:00", "", 400, "invalid", "start", "2022-05-13T03:24:00Z"},
		{"GET", concurrency + "?start=1970-01-01T00:00:00Z&end=1970-01-01T00:00:00Z", "", 400, "invalid", "end", "after start"},
		{"GET", concurrency + "?start=1969-12-31T04:00:00Z", "", 400, "invalid", "start", "1970"},
		{"GET", concurrency + "?start=9999-12-31T23:00:00-05:00", "", 400, "invalid", "start", "before 10000"},
		{"GET", concurrency + "?stat=mean&stat=peak", "", 400, "invalid", "stat", "once"},
		{"GET", concurrency + "?templates=sleep", "", 400, "invalid", "templates", "task_template_name"},
		{"GET", "/api/v2/workflows?limit=0", "", 400, "invalid", "limit", "1 to 200"},
		{"GET", "/api/v2/workflows?limit=201", "", 400, "invalid", "limit", "1 to 200"},
		{"GET", "/api/v2/workflows?limit=ten", "", 400, "invalid", "limit", "1 to 200"},
		{"GET", "/api/v2/workflows?cursor=x", "", 400, "invalid", "cursor", "next_cursor"},
		{"GET", "/api/v2/workflows?status=SLEEPY", "", 400, "invalid", "status", "R (RUNNING)"},
		{"GET", "/api/v2/workflows?search=" + strings.Repeat("x", 201), "", 400, "invalid", "search", "200"},
		{"GET", "/api/v2/workflows?search=a%00b", "", 400, "invalid", "", "NUL"},
		{"GET", "/api/v2/workflows?search=%ff", "", 400, "invalid", "", "UTF-8"},
		{"GET", "/api/v2/workflows?search=%zz", "", 400, "invalid", "", "malformed"},
		{"GET", "/api/v2/workflows/1%00", "", 400, "invalid", "", "NUL"},
		{"GET", "/api/v2/nowhere", "", 404, "not_found", "", "/api/v2/nowhere"},
		{"GET", "/api", "", 404, "not_found", "", "/api"},
		{"GET", "/api/v3/workflows", "", 404, "not_found", "", "/api/v3/workflows"},
		{"DELETE", "/api/v2/workflows", "", 404, "not_found", "", "DELETE"},
	})
	// What is only unusual is understood.
	for _, query := range []string{
		"?start=2022-05-13T05:24:00%2B02:00&end=2022-05-13T05:25:00%2B02:00",
		"?start=2022-05-13T05:24:00.123456789Z&granularity=1d",
		"?status=R&status=done&status=Pending&status=ACTIVE",
		"?time_range=all&granularity=auto",
		"?time_range=30d&granularity=1h",
	} {
		f.send("GET", concurrency+query, "").ok()
	}
	// A plus sign that was not escaped.
	response, err := http.Get(f.url + concurrency + "?start=2022-05-13T05:24:00+02:00&end=2022-05-13T03:25:00Z")
	if err != nil || response.StatusCode != http.StatusOK {
		t.Errorf("%v %v", response, err)
	}
	response.Body.Close()
}

func TestBadStateRequests(t *testing.T) {
	f := newFixture(t, func(c *api.Config) { c.MaxBodyBytes = 1 << 20 })
	b := f.bind("bad", 1)
	ids := strings.Repeat("1,", 10_000) + "1"
	f.check([]refusal{
		{"POST", "/api/v3/tool", `{"name": "a`, 400, "invalid", "", "not valid JSON"},
		{"POST", "/api/v3/tool", `[]`, 400, "invalid", "", "JSON object"},
		{"POST", "/api/v3/tool", `null`, 400, "invalid", "", "JSON object"},
		{"POST", "/api/v3/tool", `{"name": "a"} {}`, 400, "invalid", "", "not valid JSON"},
		{"POST", "/api/v3/tool", ``, 400, "invalid", "name", "name is missing"},
		{"POST", "/api/v3/tool", `{}`, 400, "invalid", "name", "name is missing"},
		{"POST", "/api/v3/tool", `{"NAME": "a"}`, 400, "invalid", "name", "name is missing"},
		{"POST", "/api/v3/tool", `{"name": null}`, 400, "invalid", "name", "must not be null"},
		{"POST", "/api/v3/tool", `{"name": 7}`, 400, "invalid", "name", "a text, not 7"},
		{"POST", "/api/v3/tool", `{"name": ""}`, 400, "invalid", "name", "255"},
		{"POST", "/api/v3/tool", `{"name": "` + strings.Repeat("ä", 256) + `"}`, 400, "invalid", "name", "255"},
		{"POST", "/api/v3/tool", `{"name": "a\u0000b"}`, 400, "invalid", "", "NUL"},
		{"POST", "/api/v3/tool", "{\"name\": \"a\x00b\"}", 400, "invalid", "", "NUL"},
		{"POST", "/api/v3/tool", "{\"name\": \"a\xffb\"}", 400, "invalid", "", "UTF-8"},
		{"POST", "/api/v3/tool", `{"other": "\u0000", "name": "x"}`, 400, "invalid", "", "NUL"},
		{"POST", "/api/v3/tool", `{"name": "` + strings.Repeat("x", 1<<20) + `"}`, 413, "too_large", "", "1048576 bytes"},
		{"POST", "/api/v3/tool?x=%00", `{"name": "a"}`, 400, "invalid", "", "NUL"},
		{"POST", "/api/v3/tool_version", `{"tool_id": "1"}`, 400, "invalid", "tool_id", "a whole number"},
		{"POST", "/api/v3/tool_version", `{"tool_id": 1.5}`, 400, "invalid", "tool_id", "a whole number"},
		{"POST", "/api/v3/tool_version", `{"tool_id": 99999999999999999999}`, 400, "invalid", "tool_id", "a whole number"},
		{"POST", "/api/v3/tool_version", `{"tool_id": 4711}`, 404, "not_found", "", ""},
		{"GET", "/api/v3/tool/4711/tool_versions", "", 404, "not_found", "", ""},
		{"GET", "/api/v3/tool_version/4711/task_templates", "", 404, "not_found", "", ""},
		{"POST", "/api/v3/task_template", `{"tool_version_id": 4711, "task_template_name": "x"}`, 404, "not_found", "", ""},
		{"GET", "/api/v3/task_template/4711/versions", "", 404, "not_found", "", ""},
		{"POST", "/api/v3/task_template/4711/add_version",
			`{"command_template": "", "arg_mapping_hash": 1, "node_args": [], "task_args": [], "op_args": []}`, 404, "not_found", "", ""},
		{"POST", "/api/v3/task_template/1/add_version",
			`{"command_template": "", "arg_mapping_hash": 1e3, "node_args": [], "task_args": [], "op_args": []}`, 400, "invalid", "arg_mapping_hash", "digits"},
		{"POST", "/api/v3/task_template/1/add_version",
			`{"command_template": "", "arg_mapping_hash": -5, "node_args": [], "task_args": [], "op_args": []}`, 400, "invalid", "arg_mapping_hash", "digits"},
		{"POST", "/api/v3/task_template/1/add_version",
			`{"command_template": "", "arg_mapping_hash": 1` + hash78 + `, "node_args": [], "task_args": [], "op_args": []}`,
			400, "invalid", "arg_mapping_hash", "78 digits"},
		{"GET", "/api/v3/cluster/nowhere", "", 404, "not_found", "", "nowhere"},
		{"GET", "/api/v3/cluster/1/queue/long%2Fq", "", 404, "not_found", "", "long/q"},
		{"GET", "/api/v3/workflow/12x", "", 400, "invalid", "workflow_args_hash", "digits"},
		{"POST", "/api/v3/nodes", `{"nodes": [{"node_args_hash": "1", "node_args": {}}]}`, 400, "invalid", "task_template_version_id", "missing"},
		{"POST", "/api/v3/nodes", `{"nodes": [7]}`, 400, "invalid", "nodes", "object"},
		{"POST", "/api/v3/nodes", `{"nodes": [{"task_template_version_id": 1, "node_args_hash": "1", "node_args": {"x": "1"}}]}`,
			400, "invalid", "node_args", ""},
		{"POST", "/api/v3/dag/4711/edges", `{"edges_to_add": [], "mark_created": true}`, 404, "not_found", "", ""},
		{"POST", "/api/v3/workflow", `{}`, 400, "invalid", "tool_version_id", "missing"},
		{"POST", "/api/v3/array", fmt.Sprintf(`{"task_template_version_id": %d, "workflow_id": %d, "max_concurrently_running": -1}`,
			b.templateVersion, b.workflow), 400, "invalid", "max_concurrently_running", "between 0"},
		{"POST", "/api/v3/array", fmt.Sprintf(`{"task_template_version_id": %d, "workflow_id": 4711, "max_concurrently_running": 1}`,
			b.templateVersion), 404, "not_found", "", "4711"},
		{"POST", "/api/v3/task/bind_resources", `{"task_resources_type_id": "X", "requested_resources": {}}`, 400, "invalid", "task_resources_type_id", "adjusted"},
		{"POST", "/api/v3/task/bind_resources", `{"task_resources_type_id": "O", "requested_resources": []}`, 400, "invalid", "requested_resources", "object"},
		{"PUT", "/api/v3/task/bind_tasks_no_args", `{"workflow_id": 4711, "tasks": {}, "mark_created": true}`, 404, "not_found", "", "4711"},
		{"PUT", "/api/v3/task/bind_tasks_no_args", fmt.Sprintf(`{"workflow_id": %d, "tasks": {"5": [1, 2]}, "mark_created": true}`, b.workflow),
			400, "invalid", "tasks", "task 5"},
		{"PUT", "/api/v3/task/bind_tasks_no_args",
			fmt.Sprintf(`{"workflow_id": %d, "tasks": {"5": [1, "2", "x", 4, "n", "c", 2, true, {}, []]}, "mark_created": true}`, b.workflow),
			400, "invalid", "tasks", "array_id"},
		{"PUT", "/api/v3/task/bind_tasks_no_args", fmt.Sprintf(`{"workflow_id": %d, "tasks": [], "mark_created": true}`, b.workflow), 400, "invalid", "tasks", "object"},
		{"PUT", "/api/v3/task/bind_tasks_no_args",
			fmt.Sprintf(`{"workflow_id": %d, "tasks": {"5": [%d, "2", 4711, null, "n", "c", 2, true, {}, []]}, "mark_created": true}`, b.workflow, b.nodes[0]),
			400, "invalid", "tasks", "4711"},
		{"POST", "/api/v3/workflow_run", `{"workflow_id": 4711, "user": "a", "jobmon_version": "3", "next_report_increment": 1}`, 404, "not_found", "", "4711"},
		{"POST", "/api/v3/workflow_run", fmt.Sprintf(`{"workflow_id": %d, "next_report_increment": 2592001}`, b.workflow), 400, "invalid", "next_report_increment", "2592000"},
		{"POST", "/api/v3/workflow_run", fmt.Sprintf(`{"workflow_id": %d, "next_report_increment": -1}`, b.workflow), 400, "invalid", "next_report_increment", "2592000"},
		{"POST", "/api/v3/workflow_run/4711/sync_status", `{"task_instance_ids": [], "status": "Q"}`, 404, "not_found", "", "4711"},
		{"PUT", "/api/v3/workflow_run/4711/update_status", `{"status": "R"}`, 404, "not_found", "", "4711"},
		{"PUT", fmt.Sprintf("/api/v3/workflow_run/%d/update_status", b.run), `{"status": "Y"}`, 400, "invalid", "status", "R (RUNNING)"},
		{"POST", "/api/v3/workflow_run/4711/log_heartbeat", `{"status": "R", "next_report_increment": 1}`, 404, "not_found", "", "4711"},
		{"POST", fmt.Sprintf("/api/v3/workflow_run/%d/sync_status", b.run), `{"task_instance_ids": {}, "status": "Q"}`, 400, "invalid", "task_instance_ids", "a list"},
		{"POST", fmt.Sprintf("/api/v3/array/%d/queue_task_batch", b.array),
			fmt.Sprintf(`{"task_ids": [1], "task_resources_id": %d, "workflow_run_id": 4711}`, b.resources), 404, "not_found", "", "4711"},
		{"POST", "/api/v3/array/4711/queue_task_batch",
			fmt.Sprintf(`{"task_ids": [1], "task_resources_id": %d, "workflow_run_id": %d}`, b.resources, b.run), 404, "not_found", "", "4711"},
		{"POST", fmt.Sprintf("/api/v3/array/%d/queue_task_batch", b.array),
			fmt.Sprintf(`{"task_ids": [%d], "task_resources_id": 4711, "workflow_run_id": %d}`, b.tasks[0], b.run), 404, "not_found", "", ""},
		{"POST", fmt.Sprintf("/api/v3/array/%d/queue_task_batch", b.array),
			fmt.Sprintf(`{"task_ids": [%s], "task_resources_id": %d, "workflow_run_id": %d}`, ids, b.resources, b.run), 413, "too_large", "task_ids", "10000"},
		{"POST", "/api/v3/task_instance/instantiate_task_instances", `{"task_instance_ids": [` + ids + `]}`, 413, "too_large", "task_instance_ids", "10000"},
		{"PUT", "/api/v3/task/update_statuses", fmt.Sprintf(`{"workflow_id": %d, "task_ids": [%s], "new_status": "G"}`, b.workflow, ids), 413, "too_large", "task_ids", "10000"},
		{"PUT", "/api/v3/task/update_statuses", fmt.Sprintf(`{"workflow_id": %d, "task_ids": "some", "new_status": "G"}`, b.workflow), 400, "invalid", "task_ids", "all"},
		{"PUT", "/api/v3/task/update_statuses", fmt.Sprintf(`{"workflow_id": %d, "task_ids": [], "new_status": "Z"}`, b.workflow), 400, "invalid", "new_status", "G"},
		{"PUT", "/api/v3/task/update_statuses", fmt.Sprintf(`{"workflow_id": %d, "task_ids": [], "new_status": "R"}`, b.workflow), 400, "invalid", "new_status", "DONE"},
		{"PUT", "/api/v3/task/update_statuses", `{"workflow_id": 4711, "task_ids": [], "new_status": "G"}`, 404, "not_found", "", "4711"},
		{"POST", "/api/v3/array/4711/transition_to_launched", `{"batch_number": 1, "next_report_increment": 1}`, 404, "not_found", "", "4711"},
		{"POST", "/api/v3/array/4711/transition_to_killed", `{"batch_number": 1}`, 404, "not_found", "", "4711"},
		{"POST", "/api/v3/task_instance/4711/log_running", `{"next_report_increment": 1}`, 404, "not_found", "", "4711"},
		{"POST", "/api/v3/task_instance/4711/log_done", `{}`, 404, "not_found", "", "4711"},
		{"POST", "/api/v3/task_instance/4711/log_error_worker_node", `{"error_state": "E"}`, 404, "not_found", "", "4711"},
		{"POST", "/api/v3/task_instance/4711/log_error_worker_node", `{"error_state": "D"}`, 400, "invalid", "error_state", "E (ERROR)"},
		{"POST", "/api/v3/task_instance/4711/log_running", `{"next_report_increment": 1, "process_group_id": "x"}`, 400, "invalid", "process_group_id", "whole number"},
		{"POST", "/api/v3/task/4711/set_resume_state", `{"reset_if_running": true}`, 404, "not_found", "", "4711"},
		{"PUT", "/api/v3/workflow/4711/reset", `{"partial_reset": false}`, 404, "not_found", "", "4711"},
		{"PUT", fmt.Sprintf("/api/v3/workflow/%d/reset", b.workflow), `{"partial_reset": false}`, 409, "conflict", "", "alive"},
		{"GET", "/api/v3/tool", "", 404, "not_found", "", "GET"},
	})
	f.wantStatuses(b.workflow, "G")
	f.checkAudit(b.workflow)
	if f.log.Len() > 0 {
		t.Errorf("refusals were logged as well as returned: %s", f.log)
	}
}

func TestOtherSitesChangeNothing(t *testing.T) {
	f := newFixture(t)
	f.send("POST", "/api/v3/tool", `{"name": "x"}`, "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site").
		refused(400, "invalid")
	f.send("POST", "/api/v3/tool", `{"name": "x"}`, "Sec-Fetch-Site", "same-origin").ok()
}

func TestSecurityHeaders(t *testing.T) {
	f := newFixture(t, func(c *api.Config) {
		c.UI = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "page "+r.URL.Path) })
	})
	for _, path := range []string{"/", "/workflows/1", "/healthz", "/api/v2/workflows", "/api/nowhere"} {
		response, err := http.Get(f.url + path)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		policy := response.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "frame-ancestors 'none'") ||
			response.Header.Get("X-Content-Type-Options") != "nosniff" || response.Header.Get("Referrer-Policy") == "" {
			t.Errorf("%s: %v", path, response.Header)
		}
	}
}
