package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"tasktide/internal/store"
	"tasktide/internal/testfiles"
)

// recording is one request of an unmodified JobMon client and the answer of an unmodified server.
type recording struct {
	Method string `json:"m"`
	Path   string `json:"p"`
	Query  string `json:"q"`
	Body   string `json:"req"`
	Status int    `json:"s"`
	Answer string `json:"resp"`
}

func recordings(t *testing.T) []recording {
	t.Helper()
	data, err := os.ReadFile(testfiles.Shared(t, "jobmon-traffic/seq_ok.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var all []recording
	for line := range bytes.Lines(data) {
		var r recording
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// ids says where a route's request and answer hold ids, and of what: a path of members, "*" for each
// value, "@" for each key. A number is a place in a tuple.
type ids struct{ request, answer map[string]string }

// idsOf is by route; path parameters are ids by their names.
var idsOf = map[string]ids{
	"POST /tool":                        {nil, map[string]string{"tool.0": "tool"}},
	"GET /tool/{tool_id}/tool_versions": {nil, map[string]string{"tool_versions.*.0": "tool_version", "tool_versions.*.1": "tool"}},
	"POST /tool_version":                {map[string]string{"tool_id": "tool"}, map[string]string{"tool_version.0": "tool_version", "tool_version.1": "tool"}},
	"GET /tool_version/{tool_version_id}/task_templates": {nil, map[string]string{"task_templates.*.0": "task_template", "task_templates.*.1": "tool_version"}},
	"POST /task_template":                                {map[string]string{"tool_version_id": "tool_version"}, map[string]string{"task_template_id": "task_template"}},
	"GET /task_template/{task_template_id}/versions":     {nil, map[string]string{"task_template_versions.*.0": "task_template_version", "task_template_versions.*.6": "task_template"}},
	"POST /task_template/{task_template_id}/add_version": {nil, map[string]string{"task_template_version.0": "task_template_version",
		"task_template_version.5.*": "arg", "task_template_version.6": "task_template"}},
	"GET /cluster/{cluster_name}":                        {nil, map[string]string{"cluster.0": "cluster"}},
	"GET /cluster/{cluster_id}/queue/{queue_name}":       {nil, map[string]string{"queue.0": "queue"}},
	"GET /workflow/{workflow_args_hash}":                 {},
	"POST /nodes":                                        {map[string]string{"nodes.*.task_template_version_id": "task_template_version", "nodes.*.node_args.@": "arg"}, map[string]string{"nodes.@": "task_template_version", "nodes.*": "node"}},
	"POST /dag":                                          {nil, map[string]string{"dag_id": "dag"}},
	"POST /dag/{dag_id}/edges":                           {map[string]string{"edges_to_add.*.node_id": "node", "edges_to_add.*.upstream_node_ids.*": "node", "edges_to_add.*.downstream_node_ids.*": "node"}, nil},
	"POST /workflow":                                     {map[string]string{"tool_version_id": "tool_version", "dag_id": "dag"}, map[string]string{"workflow_id": "workflow"}},
	"POST /array":                                        {map[string]string{"task_template_version_id": "task_template_version", "workflow_id": "workflow"}, map[string]string{"array_id": "array"}},
	"POST /task/bind_resources":                          {map[string]string{"queue_id": "queue"}, map[string]string{"": "task_resources"}},
	"PUT /task/bind_tasks_no_args":                       {map[string]string{"workflow_id": "workflow", "tasks.*.0": "node", "tasks.*.2": "array", "tasks.*.3": "task_resources"}, map[string]string{"tasks.*.0": "task"}},
	"POST /workflow_run":                                 {map[string]string{"workflow_id": "workflow"}, map[string]string{"workflow_run_id": "workflow_run"}},
	"PUT /workflow_run/{workflow_run_id}/update_status":  {},
	"POST /workflow_run/{workflow_run_id}/sync_status":   {map[string]string{"task_instance_ids.*": "task_instance"}, map[string]string{"status_updates.*.*": "task_instance", "time": ""}},
	"GET /time":                                          {nil, map[string]string{"time": ""}},
	"POST /array/{array_id}/queue_task_batch":            {map[string]string{"task_ids.*": "task", "task_resources_id": "task_resources", "workflow_run_id": "workflow_run", "cluster_id": "cluster"}, map[string]string{"tasks_by_status.*.*": "task"}},
	"POST /task_instance/instantiate_task_instances":     {map[string]string{"task_instance_ids.*": "task_instance"}, map[string]string{"task_instance_batches.*.0": "array", "task_instance_batches.*.3": "task_resources", "task_instance_batches.*.4.*": "task_instance"}},
	"POST /workflow_run/{workflow_run_id}/log_heartbeat": {},
	"POST /task_instance/{task_instance_id}/log_running": {nil, map[string]string{"task_instance.0": "task_instance", "task_instance.2": "workflow_run", "task_instance.3": "task", "task_instance.6": "workflow"}},
	"POST /task_instance/{task_instance_id}/log_done":    {},
}

// replay sends recordings to a server and keeps which of its ids stands for which recorded one.
type replay struct {
	*fixture
	ids map[string]json.Number // by kind and recorded id
}

// translate returns value with each recorded id replaced; learn, unless nil, is the server's value
// at the same place, from which ids that are new are learned.
func (r *replay) translate(value, learn any, places map[string]string, here string) any {
	kind, isID := places[here]
	switch value := value.(type) {
	case json.Number:
		if !isID {
			return value
		}
		key := kind + " " + value.String()
		if got, ok := learn.(json.Number); ok && r.ids[key] == "" {
			r.ids[key] = got
		}
		if r.ids[key] == "" {
			r.t.Errorf("%s: nothing is known of %s", here, key)
		}
		return r.ids[key]
	case string:
		if text, ok := learn.(string); isID && ok && databaseText.MatchString(value) && databaseText.MatchString(text) {
			return text
		}
		return value
	case []any:
		other, _ := learn.([]any)
		translated := make([]any, len(value))
		for i, v := range value {
			var counterpart any
			if i < len(other) {
				counterpart = other[i]
			}
			translated[i] = r.translate(v, counterpart, places, step(places, here, fmt.Sprint(i)))
		}
		return translated
	case map[string]any:
		other, _ := learn.(map[string]any)
		translated := make(map[string]any, len(value))
		for key, v := range value {
			if kind := places[join(here, "@")]; kind != "" {
				// An id is all of the key, or what stands before a colon.
				number, rest, colon := strings.Cut(key, ":")
				key = r.ids[kind+" "+number].String()
				if colon {
					key += ":" + rest
				}
			}
			translated[key] = r.translate(v, other[key], places, step(places, here, key))
		}
		return translated
	default:
		return value
	}
}

// step goes to a member by its name where ids are told so, and otherwise to any member.
func step(places map[string]string, here, name string) string {
	named := join(here, name)
	for place := range places {
		if place == named || strings.HasPrefix(place, named+".") {
			return named
		}
	}
	return join(here, "*")
}

func join(here, name string) string { return strings.TrimPrefix(here+"."+name, ".") }

// run replays everything that this server serves, each POST and PUT as often as told, and returns the
// id of the workflow. Of the answers to one request it checks the first.
func (r *replay) run(all []recording, times int) int64 {
	r.t.Helper()
	replayed := 0
	for _, recorded := range all {
		route := chi.NewRouteContext()
		if !r.mux.Match(route, recorded.Method, recorded.Path) {
			continue
		}
		replayed++
		pattern := recorded.Method + " " + strings.TrimPrefix(route.RoutePattern(), "/api/v3")
		places, known := idsOf[pattern]
		if !known {
			r.t.Fatalf("nothing is said of the ids of %s", pattern)
		}
		path := route.RoutePattern()
		for i, name := range route.URLParams.Keys {
			value := route.URLParams.Values[i]
			if kind, isID := strings.CutSuffix(name, "_id"); isID {
				value = r.ids[kind+" "+value].String()
			}
			path = strings.Replace(path, "{"+name+"}", value, 1)
		}
		body := ""
		if recorded.Body != "" {
			translated, err := json.Marshal(r.translate(decode(r.t, []byte(recorded.Body)), nil, places.request, ""))
			if err != nil {
				r.t.Fatal(err)
			}
			body = string(translated)
		}
		first := r.send(recorded.Method, path+"?"+recorded.Query, body)
		r.compare(recorded, first, places.answer)
		if recorded.Method != http.MethodGet {
			for range times - 1 {
				r.send(recorded.Method, path+"?"+recorded.Query, body).ok()
			}
		}
	}
	if replayed < 50 {
		r.t.Fatalf("only %d of %d requests were replayed", replayed, len(all))
	}
	workflow, err := r.ids["workflow 1"].Int64()
	return must(r.t, workflow, err)
}

func (r *replay) compare(recorded recording, got answer, places map[string]string) {
	r.t.Helper()
	if got.status != recorded.Status {
		r.t.Fatalf("%s: status %d, recorded %d: %s", got.what, got.status, recorded.Status, got.body)
	}
	actual := decode(r.t, got.body)
	if want := r.translate(decode(r.t, []byte(recorded.Answer)), actual, places, ""); !reflect.DeepEqual(actual, want) {
		r.t.Errorf("%s\n     got %v\nrecorded %v", got.what, actual, want)
	}
}

func newReplay(t *testing.T) *replay {
	t.Helper()
	r := &replay{newFixture(t), map[string]json.Number{}}
	// With something there before, no id is the recorded one by chance.
	r.bind("before", 3)
	return r
}

func TestReplay(t *testing.T) {
	all := recordings(t)
	r := newReplay(t)
	workflow := r.run(all, 1)
	r.wantStatuses(workflow, "DDDD")
	r.checkAudit(workflow)
	for id, rows := range r.audit(workflow) {
		if got := path(rows); got != "GQIRD" {
			t.Errorf("task %d went %s", id, got)
		}
	}
}

// TestReplayTwice: a client that asks again because an answer was lost does no harm.
func TestReplayTwice(t *testing.T) {
	all := recordings(t)
	once, twice := newReplay(t), newReplay(t)
	first, second := once.run(all, 1), twice.run(all, 2)
	twice.checkAudit(second)
	if a, b := once.state(first), twice.state(second); !slices.Equal(a, b) {
		t.Errorf("sent once:\n%s\nsent twice:\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

// state tells all about a workflow but ids and instants.
func (f *fixture) state(workflowID int64) []string {
	f.t.Helper()
	rows := f.audit(workflowID)
	tasks := map[int64]store.Task{}
	var lines []string
	for _, task := range f.tasks(workflowID) {
		tasks[task.ID] = task
		lines = append(lines, fmt.Sprintf("task %s %q %s attempts %d of %d, %s, scales %s, queues %s", task.Name, task.Command,
			task.Status, task.NumAttempts, task.MaxAttempts, path(rows[task.ID]), task.ResourceScales, task.FallbackQueues))
	}
	f.view(func(ctx context.Context, snapshot store.Snapshot) {
		info, err := snapshot.Workflow(ctx, workflowID)
		must(f.t, info, err)
		lines = append(lines, fmt.Sprintf("workflow %s %s %s %s %d, created %t", info.Name, info.Description, info.Args, info.Status,
			info.MaxConcurrentlyRunning, info.CreatedAt > 0))
		instances, err := snapshot.Instances(ctx, store.InstanceFilter{WorkflowID: workflowID})
		for _, i := range must(f.t, instances, err) {
			lines = append(lines, fmt.Sprintf("instance of %s: %s %d/%d %s", tasks[i.TaskID].Name, i.ArrayName, i.BatchNum, i.StepID, i.Status))
		}
		limits, err := snapshot.Limits(ctx, workflowID)
		for _, l := range must(f.t, limits, err) {
			lines = append(lines, fmt.Sprintf("limit %d, of an array %t", l.MaxConcurrentlyRunning, l.ArrayID != 0))
		}
		templates, err := snapshot.TemplateNames(ctx, workflowID)
		for _, template := range must(f.t, templates, err) {
			lines = append(lines, "template "+template.Name)
		}
		transitions, err := snapshot.CountTransitions(ctx, store.TransitionFilter{WorkflowID: workflowID, Before: math.MaxInt64}, 1000)
		lines = append(lines, fmt.Sprintf("%d transitions", must(f.t, transitions, err)))
		all, err := snapshot.Workflows(ctx, store.WorkflowFilter{})
		lines = append(lines, fmt.Sprintf("%d workflows", len(must(f.t, all, err))))
	})
	err := f.store.Update(f.t.Context(), func(ctx context.Context, tx store.Tx) error {
		runs, err := tx.Runs(ctx, workflowID)
		for _, run := range runs {
			lines = append(lines, fmt.Sprintf("run of %s %s: %s", run.User, run.JobmonVersion, run.Status))
		}
		return err
	})
	must(f.t, lines, err)
	return lines
}
