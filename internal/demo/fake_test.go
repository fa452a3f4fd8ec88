package demo_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tasktide/internal/jobmon"
)

type object = map[string]any

// fakeServer answers the state routes from memory, as JobMon's contract says. What the simulator
// must never do fails the test: a move that the state machines do not know, an id that does not
// exist, a number that no hash has, more active tasks than the limit.
type fakeServer struct {
	t   *testing.T
	mux *http.ServeMux
	// trouble, when it is set, decides whether a request is lost: before it is carried out, or after.
	trouble func(request int, path string) (status int, after bool)

	mu        sync.Mutex
	requests  []time.Time
	bodies    map[string][]string // the keys of the last body, by route
	routes    []string
	ids       int64
	named     map[string]int64 // tools, templates, versions, nodes and graphs
	templates map[int64]string // the name of each template version
	graphs    map[int64]bool   // whether the edges are complete
	workflows []*fakeWorkflow
	moves     []fakeMove
}

type fakeWorkflow struct {
	id, run   int64
	argsHash  string
	limit     int
	status    jobmon.WorkflowStatus
	runStatus jobmon.RunStatus
	created   bool
	arrays    map[int64]*fakeArray
	tasks     map[int64]*fakeTask
	byKey     map[string]*fakeTask
	instances map[int64]*fakeInstance
	active    int
	peak      int
}

type fakeArray struct {
	name    string
	batches int64
}

type fakeTask struct {
	id       int64
	template string
	status   jobmon.TaskStatus
	attempts int
	max      int
}

type fakeInstance struct {
	task   *fakeTask
	array  int64
	batch  int64
	status jobmon.InstanceStatus
}

// fakeMove is a row of the audit.
type fakeMove struct {
	at       time.Time
	workflow int64
	task     int64
	to       jobmon.TaskStatus
}

func newFakeServer(t *testing.T) *fakeServer {
	t.Helper()
	f := &fakeServer{
		t: t, mux: http.NewServeMux(), bodies: map[string][]string{}, named: map[string]int64{},
		templates: map[int64]string{}, graphs: map[int64]bool{},
	}
	for route, handle := range map[string]func(r *http.Request, body object) object{
		"POST /tool":                                     f.tool,
		"GET /tool/{id}/tool_versions":                   f.toolVersions,
		"POST /tool_version":                             f.toolVersion,
		"GET /tool_version/{id}/task_templates":          f.taskTemplates,
		"POST /task_template":                            f.taskTemplate,
		"POST /task_template/{id}/add_version":           f.addVersion,
		"GET /cluster/{name}":                            f.cluster,
		"GET /cluster/{id}/queue/{name}":                 f.queue,
		"POST /nodes":                                    f.nodes,
		"POST /dag":                                      f.dag,
		"POST /dag/{id}/edges":                           f.edges,
		"POST /workflow":                                 f.workflow,
		"POST /array":                                    f.array,
		"POST /task/bind_resources":                      nil,
		"PUT /task/bind_tasks_no_args":                   f.bindTasks,
		"POST /workflow_run":                             f.workflowRun,
		"PUT /workflow_run/{id}/update_status":           f.updateStatus,
		"POST /workflow_run/{id}/log_heartbeat":          f.heartbeat,
		"POST /workflow_run/{id}/sync_status":            f.syncStatus,
		"POST /array/{id}/queue_task_batch":              f.queueTaskBatch,
		"POST /task_instance/instantiate_task_instances": f.instantiate,
		"POST /array/{id}/transition_to_launched":        f.launched,
		"POST /task_instance/{id}/log_running":           f.logRunning,
		"POST /task_instance/{id}/log_done":              f.logDone,
		"POST /task_instance/{id}/log_error_worker_node": f.logError,
	} {
		f.mux.HandleFunc(route, func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, route, handle) })
	}
	return f
}

// RoundTrip answers without a network, so that time may stand still meanwhile.
func (f *fakeServer) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if version := r.URL.Query().Get("client_jobmon_version"); version == "" {
		f.t.Errorf("%s does not say the client's version", r.URL)
	}
	recorder := httptest.NewRecorder()
	http.StripPrefix("/api/v3", f.mux).ServeHTTP(recorder, r)
	return recorder.Result(), nil
}

func (f *fakeServer) serve(w http.ResponseWriter, r *http.Request, route string, handle func(*http.Request, object) object) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests = append(f.requests, time.Now())
	status, after := 0, false
	if f.trouble != nil {
		status, after = f.trouble(len(f.requests), r.URL.Path)
	}
	if status != 0 && !after {
		w.WriteHeader(status)
		return
	}

	var body object
	decoder := json.NewDecoder(r.Body)
	decoder.UseNumber()
	if err := decoder.Decode(&body); err != nil && err != io.EOF {
		f.t.Errorf("%s: %v", route, err)
	}
	if _, known := f.bodies[route]; !known {
		f.routes = append(f.routes, route)
	}
	f.bodies[route] = keysOf(body)

	var answer any = 1 // of bind_resources
	if handle != nil {
		answer = handle(r, body)
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		f.t.Error(err)
	}
}

func keysOf(body object) []string {
	keys := []string{}
	for key := range body {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func (f *fakeServer) newID() int64 {
	f.ids++
	return f.ids
}

// idOf returns the id of what has a name, and makes one when there is none.
func (f *fakeServer) idOf(name string) int64 {
	if f.named[name] == 0 {
		f.named[name] = f.newID()
	}
	return f.named[name]
}

func (f *fakeServer) integer(value any) int64 {
	number, _ := value.(json.Number)
	n, err := number.Int64()
	if err != nil {
		f.t.Errorf("%v is not an id", value)
	}
	return n
}

func (f *fakeServer) integers(value any) []int64 {
	var ids []int64
	for _, id := range value.([]any) {
		ids = append(ids, f.integer(id))
	}
	if len(ids) > 500 {
		f.t.Errorf("%d ids in one request", len(ids))
	}
	return ids
}

// hash returns a hash as text and checks that it fits into bits.
func (f *fakeServer) hash(value any, bits int) string {
	n, ok := new(big.Int).SetString(fmt.Sprint(value), 10)
	if !ok || n.Sign() < 0 || n.BitLen() > bits {
		f.t.Errorf("%v is not a hash of %d bits", value, bits)
	}
	return fmt.Sprint(value)
}

func (f *fakeServer) pathID(r *http.Request) int64 {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		f.t.Errorf("%s: %v", r.URL.Path, err)
	}
	return id
}

func (f *fakeServer) tool(_ *http.Request, body object) object {
	return object{"tool": []any{f.idOf(fmt.Sprint("tool ", body["name"])), body["name"]}}
}

func (f *fakeServer) toolVersions(r *http.Request, _ object) object {
	tool := f.pathID(r)
	versions := [][]any{}
	if id := f.named[fmt.Sprint("version of ", tool)]; id != 0 {
		versions = append(versions, []any{id, tool})
	}
	return object{"tool_versions": versions}
}

func (f *fakeServer) toolVersion(_ *http.Request, body object) object {
	return object{"tool_version": []any{f.idOf(fmt.Sprint("version of ", body["tool_id"])), body["tool_id"]}}
}

func (f *fakeServer) taskTemplates(r *http.Request, _ object) object {
	version := f.pathID(r)
	templates := [][]any{}
	for name, id := range f.named {
		if text, found := strings.CutPrefix(name, fmt.Sprintf("template of %d ", version)); found {
			templates = append(templates, []any{id, version, text})
		}
	}
	return object{"task_templates": templates}
}

func (f *fakeServer) taskTemplate(_ *http.Request, body object) object {
	return object{"task_template_id": f.idOf(fmt.Sprintf("template of %v %v", body["tool_version_id"], body["task_template_name"]))}
}

func (f *fakeServer) addVersion(r *http.Request, body object) object {
	f.hash(body["arg_mapping_hash"], 256)
	template := f.pathID(r)
	id := f.idOf(fmt.Sprintf("template version %d %v", template, body["command_template"]))
	f.templates[id] = fmt.Sprint(body["command_template"])
	args := object{}
	for _, name := range body["node_args"].([]any) {
		args[name.(string)] = f.idOf(fmt.Sprint("arg ", name))
	}
	return object{"task_template_version": []any{
		id, body["command_template"], body["node_args"], body["task_args"], body["op_args"], args, template,
	}}
}

func (f *fakeServer) cluster(r *http.Request, _ object) object {
	return object{"cluster": []any{3, r.PathValue("name"), "multiprocess", nil}}
}

func (f *fakeServer) queue(r *http.Request, _ object) object {
	return object{"queue": []any{3, r.PathValue("name"), `{"cores": (1,20)}`}}
}

func (f *fakeServer) nodes(_ *http.Request, body object) object {
	nodes := body["nodes"].([]any)
	if len(nodes) == 0 || len(nodes) > 500 {
		f.t.Errorf("%d nodes in one request", len(nodes))
	}
	ids := object{}
	for _, value := range nodes {
		node := value.(object)
		if f.templates[f.integer(node["task_template_version_id"])] == "" {
			f.t.Errorf("a node of template version %v, which does not exist", node["task_template_version_id"])
		}
		key := fmt.Sprintf("%v:%v", node["task_template_version_id"], f.hash(node["node_args_hash"], 256))
		ids[key] = f.idOf("node " + key)
	}
	return object{"nodes": ids}
}

func (f *fakeServer) dag(_ *http.Request, body object) object {
	id := f.idOf("graph " + f.hash(body["dag_hash"], 61))
	if f.graphs[id] {
		return object{"dag_id": id, "created_date": "2026-05-14 09:30:00"}
	}
	return object{"dag_id": id, "created_date": nil}
}

func (f *fakeServer) edges(r *http.Request, body object) object {
	if edges := body["edges_to_add"].([]any); len(edges) == 0 || len(edges) > 500 {
		f.t.Errorf("%d edges in one request", len(edges))
	}
	if body["mark_created"] == true {
		f.graphs[f.pathID(r)] = true
	}
	return object{}
}
