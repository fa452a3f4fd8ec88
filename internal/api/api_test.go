package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/go-chi/chi/v5"

	"tasktide/internal/api"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
	"tasktide/internal/store/testdb"
	"tasktide/internal/timeline"
)

func TestMain(m *testing.M) { os.Exit(testdb.Main(m)) }

// fixture is the real interface on a real database, behind a real listener.
type fixture struct {
	t      testing.TB
	store  store.Store
	ledger *ledger.Ledger
	mux    *chi.Mux
	url    string
	doc    *openapi3.T
	header []string      // sent with each request
	log    *bytes.Buffer // to be read when no request is under way
}

func newFixture(t testing.TB, change ...func(*api.Config)) *fixture {
	t.Helper()
	opened := testdb.Open(t)
	f := &fixture{t: t, store: opened, log: &bytes.Buffer{}, doc: loadDocument(t)}
	logger := slog.New(slog.NewTextHandler(f.log, nil))
	f.ledger = ledger.New(opened, logger)
	config := api.Config{
		Catalog: opened, Reader: opened, Ledger: f.ledger, Timeline: timeline.New(opened, nil),
		Version: "v1.2.3", Log: logger,
		Health: func(context.Context) (api.Health, error) { return api.Health{}, nil },
		Ready:  func(context.Context) error { return nil },
	}
	for _, c := range change {
		c(&config)
	}
	f.mux = api.New(config).(*chi.Mux)
	listener := httptest.NewServer(f.mux)
	f.url = listener.URL
	t.Cleanup(func() {
		listener.Close()
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

// loadDocument reads the document as it is served.
func loadDocument(t testing.TB) *openapi3.T {
	t.Helper()
	w := httptest.NewRecorder()
	api.New(api.Config{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/openapi.json", http.NoBody))
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// answer is what came back.
type answer struct {
	t      testing.TB
	what   string
	status int
	header http.Header
	body   []byte
}

// send makes one request, and holds it (unless it is one that the server refuses) and the answer
// against the document.
func (f *fixture) send(method, path, body string, header ...string) answer {
	f.t.Helper()
	request, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	header = append(slices.Clone(f.header), header...)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request) // a redirect is an answer
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	a := answer{f.t, method + " " + path, response.StatusCode, response.Header, received}
	if err := f.validate(request, body, a); err != nil {
		f.t.Errorf("%s %s: %v", a.what, body, err)
	}
	return a
}

// validate holds a request and its answer against the document.
func (f *fixture) validate(request *http.Request, body string, a answer) error {
	if path := request.URL.Path; (path == "/metrics" || strings.HasPrefix(path, "/docs")) && a.status == http.StatusOK {
		return nil // these are no part of the document
	}
	table := request.URL.Query().Get("format") == "csv" && a.status == http.StatusOK
	if contentType := a.header.Get("Content-Type"); a.status == http.StatusNotModified {
		if contentType != "" || len(a.body) > 0 {
			return fmt.Errorf("nothing new, but content type %q and %q", contentType, a.body)
		}
	} else if a.status == http.StatusNoContent || a.status == http.StatusSeeOther {
		if contentType != "" || len(a.body) > 0 {
			return fmt.Errorf("no content, but content type %q and %q", contentType, a.body)
		}
	} else if !table && contentType != "application/json" ||
		table && contentType != "text/csv; charset=utf-8; header=present" {
		return fmt.Errorf("content type %q", contentType)
	}
	route := chi.NewRouteContext()
	if !f.mux.Match(route, request.Method, request.URL.EscapedPath()) {
		if a.status != http.StatusNotFound {
			return fmt.Errorf("status %d where there is no route", a.status)
		}
		return nil
	}
	pattern := route.RoutePattern()
	item := f.doc.Paths.Value(pattern)
	if item == nil || item.GetOperation(request.Method) == nil {
		return fmt.Errorf("%s %s is not documented", request.Method, pattern)
	}
	params := map[string]string{}
	for i, name := range route.URLParams.Keys {
		params[name] = route.URLParams.Values[i]
	}
	again := request.Clone(context.Background())
	again.Body = io.NopCloser(strings.NewReader(body))
	input := &openapi3filter.RequestValidationInput{
		Request: again, PathParams: params,
		Route: &routers.Route{
			Spec: f.doc, Path: pattern, PathItem: item, Method: request.Method, Operation: item.GetOperation(request.Method),
		},
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true,
			// Whom the routes answer is another test's business.
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}
	if a.status < 400 {
		if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil {
			return fmt.Errorf("the request is accepted but not as documented: %w", err)
		}
	}
	if table {
		return nil // a test reads tables as others do, the document's readers do not
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: a.status, Header: a.header, Options: input.Options,
		Body: io.NopCloser(bytes.NewReader(a.body)),
	})
}

// ok demands 200 and returns the body.
func (a answer) ok() any {
	a.t.Helper()
	if a.status != http.StatusOK {
		a.t.Fatalf("%s: status %d: %s", a.what, a.status, a.body)
	}
	return decode(a.t, a.body)
}

// is demands 200 and a body that is the same JSON.
func (a answer) is(want string) {
	a.t.Helper()
	got, _ := json.Marshal(a.ok())
	wanted, _ := json.Marshal(decode(a.t, []byte(want)))
	if !bytes.Equal(got, wanted) {
		a.t.Errorf("%s\n got %s\nwant %s", a.what, got, wanted)
	}
}

type failure struct {
	Code, Message string
	Field         *string
}

// refused demands an error of a status and code and returns it.
func (a answer) refused(status int, code string) failure {
	a.t.Helper()
	var body struct{ Error *failure }
	if err := json.Unmarshal(a.body, &body); err != nil || body.Error == nil {
		a.t.Fatalf("%s: status %d, not an error: %.300s", a.what, a.status, a.body)
	}
	if a.status != status || body.Error.Code != code || body.Error.Message == "" {
		a.t.Fatalf("%s: got %d %s, want %d %s", a.what, a.status, a.body, status, code)
	}
	return *body.Error
}

// decode keeps integers of any length.
func decode(t testing.TB, data []byte) any {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("not JSON: %v: %.300s", err, data)
	}
	return value
}

// at follows object members and array places.
func at(t testing.TB, value any, path ...any) any {
	t.Helper()
	for _, step := range path {
		switch step := step.(type) {
		case string:
			object, _ := value.(map[string]any)
			value = object[step]
		case int:
			array, _ := value.([]any)
			if step >= len(array) {
				t.Fatalf("%v has no place %d", value, step)
			}
			value = array[step]
		}
	}
	return value
}

func id(t testing.TB, value any, path ...any) int64 {
	t.Helper()
	number, ok := at(t, value, path...).(json.Number)
	if !ok {
		t.Fatalf("%v is no number in %v", path, value)
	}
	n, err := number.Int64()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// bound is a workflow with a run, as a JobMon client leaves it before it queues anything.
type bound struct {
	toolVersion, template, templateVersion, arg int64
	dag, workflow, array, resources, run        int64
	nodes, tasks                                []int64
}

const (
	hash78     = "123456789012345678901234567890123456789012345678901234567890123456789012345678"
	taskHash78 = "987654321098765432109876543210987654321098765432109876543210987654321098765432"
)

// bind registers a workflow of n tasks of one template and begins a run, all through the state
// routes. The name keeps several apart.
func (f *fixture) bind(name string, n int) bound {
	f.t.Helper()
	return f.bindAs(name, "ada", n)
}

func (f *fixture) bindAs(name, user string, n int) bound {
	f.t.Helper()
	var b bound
	post := func(path, body string, args ...any) any {
		f.t.Helper()
		return f.send(http.MethodPost, "/api/v3"+path, fmt.Sprintf(body, args...)).ok()
	}
	tool := id(f.t, post("/tool", `{"name": %q}`, name), "tool", 0)
	b.toolVersion = id(f.t, post("/tool_version", `{"tool_id": %d}`, tool), "tool_version", 0)
	b.template = id(f.t, post("/task_template", `{"tool_version_id": %d, "task_template_name": "sleep"}`, b.toolVersion), "task_template_id")
	version := post(fmt.Sprintf("/task_template/%d/add_version", b.template),
		`{"command_template": "sleep {x}", "arg_mapping_hash": 1, "node_args": ["x"], "task_args": [], "op_args": []}`)
	b.templateVersion = id(f.t, version, "task_template_version", 0)
	b.arg = id(f.t, version, "task_template_version", 5, "x")
	var nodes, edges, tasks []string
	for i := range n {
		nodes = append(nodes, fmt.Sprintf(`{"task_template_version_id": %d, "node_args_hash": "%d", "node_args": {"%d": "%d"}}`,
			b.templateVersion, 1000+i, b.arg, i))
	}
	registered := post("/nodes", `{"nodes": [%s]}`, strings.Join(nodes, ","))
	for i := range n {
		b.nodes = append(b.nodes, id(f.t, registered, "nodes", fmt.Sprintf("%d:%d", b.templateVersion, 1000+i)))
	}
	b.dag = id(f.t, post("/dag", `{"dag_hash": %d}`, 77000+tool), "dag_id")
	for _, node := range b.nodes {
		edges = append(edges, fmt.Sprintf(`{"node_id": %d, "upstream_node_ids": [], "downstream_node_ids": []}`, node))
	}
	post(fmt.Sprintf("/dag/%d/edges", b.dag), `{"edges_to_add": [%s], "mark_created": true}`, strings.Join(edges, ","))
	b.workflow = id(f.t, post("/workflow", `{"tool_version_id": %d, "dag_id": %d, "workflow_args_hash": %s, "task_hash": %s,
		"description": null, "name": %q, "workflow_args": null, "max_concurrently_running": 2147483647, "workflow_attributes": {}}`,
		b.toolVersion, b.dag, hash78, taskHash78, name), "workflow_id")
	b.array = id(f.t, post("/array", `{"task_template_version_id": %d, "workflow_id": %d, "max_concurrently_running": 100, "name": "sleep"}`,
		b.templateVersion, b.workflow), "array_id")
	resources := post("/task/bind_resources", `{"queue_id": null, "task_resources_type_id": "O", "requested_resources": {"cores": 1, "stdout": "/out"}}`)
	b.resources = id(f.t, resources)
	for i, node := range b.nodes {
		tasks = append(tasks, fmt.Sprintf(`"%d": [%d, "%d", %d, %d, "sleep_%d", "sleep %d && true", 2, true, {}, []]`,
			500+i, node, 9000+i, b.array, b.resources, i, i))
	}
	tied := f.send(http.MethodPut, "/api/v3/task/bind_tasks_no_args",
		fmt.Sprintf(`{"workflow_id": %d, "tasks": {%s}, "mark_created": true}`, b.workflow, strings.Join(tasks, ","))).ok()
	for i := range n {
		b.tasks = append(b.tasks, id(f.t, tied, "tasks", fmt.Sprint(500+i), 0))
	}
	b.run = id(f.t, post("/workflow_run", `{"workflow_id": %d, "user": %q, "jobmon_version": "3.7.0", "next_report_increment": 90.5}`,
		b.workflow, user), "workflow_run_id")
	for _, status := range []string{"B", "I", "O", "R"} {
		f.send(http.MethodPut, fmt.Sprintf("/api/v3/workflow_run/%d/update_status", b.run), fmt.Sprintf(`{"status": %q}`, status)).
			is(fmt.Sprintf(`{"status": %q}`, status))
	}
	return b
}

// queue queues all tasks and instantiates them, and returns the ids of the instances.
func (f *fixture) queue(b bound) []int64 {
	f.t.Helper()
	f.send(http.MethodPost, fmt.Sprintf("/api/v3/array/%d/queue_task_batch", b.array), f.queueBody(b)).ok()
	queued := f.send(http.MethodPost, fmt.Sprintf("/api/v3/workflow_run/%d/sync_status", b.run),
		`{"task_instance_ids": [], "status": "Q"}`).ok()
	var ids []int64
	for i := range b.tasks {
		ids = append(ids, id(f.t, queued, "status_updates", "Q", i))
	}
	f.send(http.MethodPost, "/api/v3/task_instance/instantiate_task_instances",
		fmt.Sprintf(`{"task_instance_ids": %s}`, list(ids))).ok()
	return ids
}

func (f *fixture) queueBody(b bound) string {
	return fmt.Sprintf(`{"task_ids": %s, "task_resources_id": %d, "workflow_run_id": %d, "cluster_id": 2}`,
		list(b.tasks), b.resources, b.run)
}

func list(ids []int64) string {
	text, _ := json.Marshal(ids)
	return string(text)
}
