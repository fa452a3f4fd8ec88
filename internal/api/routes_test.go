package api_test

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
)

// jobmonRoutes are the routes that a server for the whole life of JobMon's workflows has. Those that
// are not served yet are here because their paths must fit beside the others.
const jobmonRoutes = `
POST /tool
GET /tool/{}/tool_versions
POST /tool_version
GET /tool_version/{}/task_templates
POST /task_template
GET /task_template/{}/versions
POST /task_template/{}/add_version
GET /cluster/{}
GET /cluster/{}/queue/{}
GET /workflow/{}
POST /nodes
POST /dag
POST /dag/{}/edges
POST /workflow
POST /array
POST /task/bind_resources
PUT /task/bind_tasks_no_args
PUT /task/bind_task_args
PUT /task/bind_task_attributes
POST /workflow_run
PUT /workflow_run/{}/update_status
POST /workflow_run/{}/sync_status
POST /task_instance/instantiate_task_instances
POST /task_resources/{}
POST /array/{}/transition_to_launched
POST /array/{}/log_distributor_id
POST /task_instance/{}/log_distributor_id
POST /task_instance/log_report_by/batch
POST /task_instance/{}/log_no_distributor_id
POST /task_instance/{}/log_known_error
POST /task_instance/{}/log_unknown_error
POST /array/{}/transition_to_killed
GET /get_array_task_instance_id/{}/{}/{}
POST /task_instance/{}/log_running
POST /task_instance/{}/log_report_by
POST /task_instance/{}/log_done
POST /task_instance/{}/log_error_worker_node
GET /time
POST /array/{}/queue_task_batch
POST /workflow_run/{}/log_heartbeat
POST /workflow_run/{}/set_status_for_triaging
POST /workflow/{}/task_status_updates
GET /workflow/{}/get_max_concurrently_running
GET /array/{}/get_array_max_concurrently_running
PUT /workflow_run/{}/terminate_task_instances
POST /workflow/{}/set_resume
GET /workflow/{}/is_resumable
POST /workflow/{}/force_cleanup_kill_self
GET /task/{}/most_recent_ti_error
GET /task_instance/{}/task_instance_error_log
POST /workflow/{}/increase_resources
POST /task/{}/set_resume_state
GET /workflow/{}/fetch_workflow_metadata
GET /workflow/get_tasks/{}
POST /task/get_downstream_tasks
PUT /workflow/{}/workflow_attributes
PUT /task/update_statuses
PUT /workflow/{}/reset
GET /lost_workflow_run
PUT /workflow_run/{}/reap
PUT /workflow/{}/fix_status_inconsistency
GET /workflow/{}/workflow_name_and_args
`

var placeholder = regexp.MustCompile(`\{\w*\}`)

func TestAllRoutesOfJobMonFitBesideOurs(t *testing.T) {
	f := newFixture(t)
	served := map[string]bool{}
	walk(t, f.mux, func(method, pattern string) {
		served[method+" "+placeholder.ReplaceAllString(pattern, "{}")] = true
	})
	var all []string
	for line := range strings.SplitSeq(strings.TrimSpace(jobmonRoutes), "\n") {
		for _, prefix := range []string{"/api/v2", "/api/v3"} {
			all = append(all, strings.Replace(line, " ", " "+prefix, 1))
		}
	}
	if len(all) != 2*62 {
		t.Fatalf("%d routes", len(all))
	}
	for _, route := range all {
		if method, path, _ := strings.Cut(route, " "); !served[route] {
			f.mux.MethodFunc(method, named(path), func(http.ResponseWriter, *http.Request) {})
			served[route] = true
		}
	}
	for route := range served {
		method, path, _ := strings.Cut(route, " ")
		found := chi.NewRouteContext()
		if !f.mux.Match(found, method, strings.ReplaceAll(path, "{}", "12")) {
			t.Errorf("%s is not reached", route)
			continue
		}
		if got := placeholder.ReplaceAllString(found.RoutePattern(), "{}"); got != path {
			t.Errorf("%s reaches %s", route, got)
		}
	}
}

// named gives the placeholders of a path names of their own.
func named(path string) string {
	n := 0
	return placeholder.ReplaceAllStringFunc(path, func(string) string {
		n++
		return fmt.Sprintf("{p%d}", n)
	})
}

func walk(t *testing.T, mux chi.Routes, visit func(method, pattern string)) {
	t.Helper()
	err := chi.Walk(mux, func(method, pattern string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		visit(method, pattern)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestStateRoutes makes one run of a workflow through the state routes under each prefix, with the
// bodies of JobMon's client and the answers that it needs.
func TestStateRoutes(t *testing.T) {
	for _, prefix := range []string{"/api/v2", "/api/v3"} {
		t.Run(prefix, func(t *testing.T) { testStateRoutes(t, prefix) })
	}
}

func testStateRoutes(t *testing.T, prefix string) {
	t.Helper()
	f := newFixture(t)
	b := f.bind("routes", 4)
	const version = "?client_jobmon_version=3.7.0&whatever=1"
	call := func(method, path, body string, args ...any) answer {
		t.Helper()
		return f.send(method, prefix+path+version, fmt.Sprintf(body, args...))
	}
	get := func(path string, args ...any) answer { t.Helper(); return call("GET", fmt.Sprintf(path, args...), "") }

	// The script phase again: everything is found.
	call("POST", "/tool", `{"name": "routes", "novelty": 1}`).is(`{"tool": [1, "routes"]}`)
	get("/tool/1/tool_versions").is(fmt.Sprintf(`{"tool_versions": [[%d, 1]]}`, b.toolVersion))
	call("POST", "/tool_version", `{"tool_id": 1}`).is(fmt.Sprintf(`{"tool_version": [%d, 1]}`, b.toolVersion+1))
	get("/tool_version/%d/task_templates", b.toolVersion).
		is(fmt.Sprintf(`{"task_templates": [[%d, %d, "sleep"]]}`, b.template, b.toolVersion))
	call("POST", "/task_template", `{"tool_version_id": %d, "task_template_name": "sleep"}`, b.toolVersion).
		is(fmt.Sprintf(`{"task_template_id": %d}`, b.template))
	ttv := fmt.Sprintf(`[%d, "sleep {x}", ["x"], [], [], {"x": %d}, %d]`, b.templateVersion, b.arg, b.template)
	get("/task_template/%d/versions", b.template).is(`{"task_template_versions": [` + ttv + `]}`)
	call("POST", fmt.Sprintf("/task_template/%d/add_version", b.template),
		`{"command_template": " sleep {x}\n", "arg_mapping_hash": 1, "node_args": ["x"], "task_args": [], "op_args": []}`).
		is(`{"task_template_version": ` + ttv + `}`)

	// Binding again.
	get("/cluster/sequential").is(`{"cluster": [2, "sequential", "sequential", null]}`)
	get("/cluster/3/queue/null.q").is(`{"queue": [3, "null.q", "{\"cores\": (1,20)}"]}`)
	get("/workflow/%s", hash78).is(fmt.Sprintf(`{"matching_workflows": [["%s", %d, "77001"]]}`, taskHash78, b.toolVersion))
	get("/workflow/1").is(`{"matching_workflows": []}`)
	created := at(t, call("POST", "/dag", `{"dag_hash": 77001}`).ok(), "created_date")
	if text, _ := created.(string); !databaseText.MatchString(text) {
		t.Errorf("created_date is %v", created)
	}
	call("POST", "/workflow", `{"tool_version_id": %d, "dag_id": %d, "workflow_args_hash": %s, "task_hash": %s, "description": "d",
		"name": "routes", "workflow_args": "a", "max_concurrently_running": 3, "workflow_attributes": {"k": "v", "n": 1, "x": null}}`,
		b.toolVersion, b.dag, hash78, taskHash78).
		is(fmt.Sprintf(`{"workflow_id": %d, "status": "R", "newly_created": false}`, b.workflow))
	call("POST", "/array", `{"task_template_version_id": %d, "workflow_id": %d, "max_concurrently_running": 2, "name": null}`,
		b.templateVersion, b.workflow).is(fmt.Sprintf(`{"array_id": %d}`, b.array))
	call("POST", "/task/bind_resources", `{"queue_id": 2, "task_resources_type_id": "O", "requested_resources": {}}`).
		is(fmt.Sprint(b.resources + 1))

	// A run: refused while one is alive; what a run may not do is answered with what it is.
	refused := call("POST", "/workflow_run", `{"workflow_id": %d, "user": "ada", "jobmon_version": "3.7.0", "next_report_increment": 1}`, b.workflow).ok()
	if run, present := refused.(map[string]any)["workflow_run_id"]; run != nil || !present || at(t, refused, "err_msg") == nil {
		t.Errorf("a second run was not refused: %v", refused)
	}
	call("PUT", fmt.Sprintf("/workflow_run/%d/update_status", b.run), `{"status": "L"}`).is(`{"status": "R"}`)
	call("POST", fmt.Sprintf("/workflow_run/%d/log_heartbeat", b.run), `{"status": "R", "next_report_increment": 90}`).is(`{"status": "R"}`)
	call("POST", fmt.Sprintf("/workflow_run/%d/log_heartbeat", b.run), `{"status": "B", "next_report_increment": 90}`).is(`{"status": "R"}`)
	if now, _ := at(t, get("/time").ok(), "time").(string); !databaseText.MatchString(now) {
		t.Errorf("time is %q", now)
	}

	// A batch: queued, instantiated, launched; twice each.
	for range 2 {
		call("POST", fmt.Sprintf("/array/%d/queue_task_batch", b.array),
			`{"task_ids": [%d, %d, 999], "task_resources_id": %d, "workflow_run_id": %d, "cluster_id": 2}`, b.tasks[1], b.tasks[0], b.resources, b.run).
			is(fmt.Sprintf(`{"tasks_by_status": {"Q": [%d, %d]}, "unknown_task_ids": [999]}`, b.tasks[0], b.tasks[1]))
	}
	sync := fmt.Sprintf("/workflow_run/%d/sync_status", b.run)
	queued := call("POST", sync, `{"task_instance_ids": [], "status": "Q"}`).ok()
	first, second := id(t, queued, "status_updates", "Q", 0), id(t, queued, "status_updates", "Q", 1)
	for range 2 {
		call("POST", "/task_instance/instantiate_task_instances", `{"task_instance_ids": [%d, %d, 777]}`, first, second).
			is(fmt.Sprintf(`{"task_instance_batches": [[%d, "sleep", 1, %d, [%d, %d]]], "unknown_task_instance_ids": [777]}`,
				b.array, b.resources, first, second))
	}
	changes := call("POST", sync, `{"task_instance_ids": [%d], "status": "Q"}`, first).ok()
	if got := fmt.Sprint(at(t, changes, "status_updates")); got != fmt.Sprintf("map[I:[%d]]", first) {
		t.Errorf("sync_status told %s", got)
	}
	call("POST", fmt.Sprintf("/array/%d/transition_to_launched", b.array), `{"batch_number": 1, "next_report_increment": 279.0}`).is(`{}`)

	// Workers.
	instance := fmt.Sprintf("/task_instance/%d", first)
	running := fmt.Sprintf(`{"task_instance": [%d, "R", %d, %d, "sleep_0", "sleep 0 && true", %d, "/out", null]}`,
		first, b.run, b.tasks[0], b.workflow)
	for range 2 {
		call("POST", instance+"/log_running",
			`{"nodename": "n1", "process_group_id": "22665", "next_report_increment": 279.0, "distributor_id": "1"}`).is(running)
	}
	for range 2 {
		call("POST", instance+"/log_done", `{"stdout": "/dev/null", "stderr": null, "stdout_log": "1\n", "stderr_log": "", "nodename": "n1",
			"distributor_id": "1", "maxrss": "558", "cpu": "0.0", "usage_str": "{}", "wallclock": "1.02"}`).is(`{"status": "D"}`)
	}
	for range 2 {
		call("POST", fmt.Sprintf("/task_instance/%d/log_error_worker_node", second),
			`{"error_state": "E", "error_description": "boom", "nodename": "n1"}`).is(`{"status": "E"}`)
	}
	f.wantStatuses(b.workflow, "DGGG")
	call("POST", fmt.Sprintf("/array/%d/transition_to_killed", b.array), `{"batch_number": 1}`).is(`{}`)

	// Administration.
	call("PUT", "/task/update_statuses", `{"workflow_id": %d, "task_ids": [%d, 4711], "new_status": "D"}`, b.workflow, b.tasks[1]).
		is(fmt.Sprintf(`{"message": "1 task of workflow %d moved to DONE", "unknown_task_ids": [4711]}`, b.workflow))
	f.wantStatuses(b.workflow, "DDGG")
	call("PUT", fmt.Sprintf("/workflow_run/%d/update_status", b.run), `{"status": "E"}`).is(`{"status": "E"}`)
	call("POST", fmt.Sprintf("/task/%d/set_resume_state", b.workflow), `{"reset_if_running": false}`).is(`{}`)
	f.wantStatuses(b.workflow, "DDGG")
	call("PUT", fmt.Sprintf("/workflow/%d/reset", b.workflow), `{"partial_reset": true}`).is(`{}`)
	f.wantStatuses(b.workflow, "DDGG")
	call("PUT", "/task/update_statuses", `{"workflow_id": %d, "task_ids": "all", "new_status": "G", "recursive": true}`, b.workflow).
		is(fmt.Sprintf(`{"message": "2 tasks of workflow %d moved to REGISTERING"}`, b.workflow))
	call("PUT", fmt.Sprintf("/workflow/%d/reset", b.workflow), `{"partial_reset": false}`).is(`{}`)
	f.wantStatuses(b.workflow, "GGGG")
	f.checkAudit(b.workflow)
}

var databaseText = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$`)

// TestHashesOf78Digits sends them through the routes that carry them.
func TestHashesOf78Digits(t *testing.T) {
	f := newFixture(t)
	b := f.bind("hashes", 1)
	path := fmt.Sprintf("/api/v3/task_template/%d/add_version", b.template)
	body := func(hash string) string {
		return fmt.Sprintf(`{"command_template": "c", "arg_mapping_hash": %s, "node_args": [], "task_args": [], "op_args": []}`, hash)
	}
	one := id(t, f.send("POST", path, body(hash78)).ok(), "task_template_version", 0)
	same := id(t, f.send("POST", path, body(hash78)).ok(), "task_template_version", 0)
	other := id(t, f.send("POST", path, body(hash78[:77]+"9")).ok(), "task_template_version", 0)
	if one != same || one == other {
		t.Errorf("versions %d, %d, %d: hashes that differ in the last digit must differ", one, same, other)
	}
	// bind used hash78 and taskHash78 for route 14; route 10 must hand them back.
	f.send("GET", "/api/v3/workflow/"+hash78, "").
		is(fmt.Sprintf(`{"matching_workflows": [["%s", %d, "77001"]]}`, taskHash78, b.toolVersion))
	f.send("GET", "/api/v3/workflow/"+hash78[:77]+"9", "").is(`{"matching_workflows": []}`)
}
