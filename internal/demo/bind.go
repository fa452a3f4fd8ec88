package demo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tasktide/internal/jobmon"
)

const (
	toolName  = "tasktide-demo"
	chunkSize = 500 // of nodes, edges and tasks in one request
	partArg   = "part"

	// How long the server waits for the next sign of life, in seconds.
	runReportIncrement      = 93.0
	instanceReportIncrement = 279.0
)

// liveTemplate is a kind of task of the live workflows.
type liveTemplate struct {
	name   string
	median time.Duration // of the run times, which are lognormal
	spread float64       // the standard deviation of their logarithm
}

var liveTemplates = []liveTemplate{
	{"ingest_events", 5 * time.Second, 0.5},
	{"parse_records", 4 * time.Second, 0.4},
	{"geocode_sites", 8 * time.Second, 0.6},
	{"deduplicate", 6 * time.Second, 0.4},
	{"impute_gaps", 9 * time.Second, 0.5},
	{"train_folds", 20 * time.Second, 0.5},
	{"cross_validate", 12 * time.Second, 0.5},
	{"simulate_draws", 15 * time.Second, 0.6},
	{"calibrate", 10 * time.Second, 0.4},
	{"summarize", 5 * time.Second, 0.3},
	{"render_maps", 7 * time.Second, 0.5},
	{"publish", 4 * time.Second, 0.3},
}

// boundRun is a workflow that the server knows and whose run has begun.
type boundRun struct {
	workflowID, runID, clusterID, resourcesID int64
	arrays                                    []int64       // by template
	tasks                                     map[int64]int // the template of each task
}

// binder collects what the server said while a workflow is bound.
type binder struct {
	*Simulator
	boundRun
	toolVersionID, queueID int64
	versions               []templateVersion // by template
	nodes                  [][]int64         // by template and part
}

type templateVersion struct{ id, partArgID int64 }

func (b *binder) templates() []liveTemplate { return liveTemplates[:b.config.Templates] }

// bind registers a workflow with all its tasks and begins its run.
func (s *Simulator) bind(ctx context.Context, number int) (boundRun, error) {
	b := binder{Simulator: s}
	for _, step := range []func(context.Context) error{
		b.registerTool, b.registerTemplates, b.findQueue, b.registerNodes,
		func(ctx context.Context) error { return b.createWorkflow(ctx, number) },
		b.createArrays, b.bindTasks, b.startRun,
	} {
		if err := step(ctx); err != nil {
			return boundRun{}, err
		}
	}
	return b.boundRun, nil
}

func (b *binder) registerTool(ctx context.Context) error {
	var tool struct{ Tool tuple }
	if err := b.client.call(ctx, http.MethodPost, "/tool", object{"name": toolName}, &tool); err != nil {
		return err
	}
	var toolID int64
	if err := tool.Tool.scan(&toolID); err != nil {
		return err
	}
	var known struct {
		Versions []tuple `json:"tool_versions"`
	}
	if err := b.client.call(ctx, http.MethodGet, fmt.Sprintf("/tool/%d/tool_versions", toolID), nil, &known); err != nil {
		return err
	}
	for _, version := range known.Versions {
		var id int64
		if err := version.scan(&id); err != nil {
			return err
		}
		b.toolVersionID = max(b.toolVersionID, id)
	}
	if b.toolVersionID != 0 {
		return nil
	}
	var created struct {
		Version tuple `json:"tool_version"`
	}
	if err := b.client.call(ctx, http.MethodPost, "/tool_version", object{"tool_id": toolID}, &created); err != nil {
		return err
	}
	return created.Version.scan(&b.toolVersionID)
}

func (b *binder) registerTemplates(ctx context.Context) error {
	var known struct {
		Templates []tuple `json:"task_templates"`
	}
	path := fmt.Sprintf("/tool_version/%d/task_templates", b.toolVersionID)
	if err := b.client.call(ctx, http.MethodGet, path, nil, &known); err != nil {
		return err
	}
	ids := map[string]int64{}
	for _, template := range known.Templates {
		var id int64
		var name string
		if err := template.scan(&id, nil, &name); err != nil {
			return err
		}
		ids[name] = id
	}
	for _, template := range b.templates() {
		if _, known := ids[template.name]; !known {
			var created struct {
				ID int64 `json:"task_template_id"`
			}
			request := object{"tool_version_id": b.toolVersionID, "task_template_name": template.name}
			if err := b.client.call(ctx, http.MethodPost, "/task_template", request, &created); err != nil {
				return err
			}
			ids[template.name] = created.ID
		}
		var version struct {
			Version tuple `json:"task_template_version"`
		}
		request := object{
			"command_template": template.name + " --part {" + partArg + "}",
			"arg_mapping_hash": digest("node", partArg),
			"node_args":        []string{partArg}, "task_args": []string{}, "op_args": []string{},
		}
		path := fmt.Sprintf("/task_template/%d/add_version", ids[template.name])
		if err := b.client.call(ctx, http.MethodPost, path, request, &version); err != nil {
			return err
		}
		var id int64
		var args map[string]int64
		if err := version.Version.scan(&id, nil, nil, nil, nil, &args); err != nil {
			return err
		}
		b.versions = append(b.versions, templateVersion{id: id, partArgID: args[partArg]})
	}
	return nil
}

func (b *binder) findQueue(ctx context.Context) error {
	var cluster struct{ Cluster tuple }
	if err := b.client.call(ctx, http.MethodGet, "/cluster/"+b.config.Cluster, nil, &cluster); err != nil {
		return err
	}
	if cluster.Cluster == nil {
		return fmt.Errorf("the server has no cluster %q", b.config.Cluster)
	}
	if err := cluster.Cluster.scan(&b.clusterID); err != nil {
		return err
	}
	var queue struct{ Queue tuple }
	path := fmt.Sprintf("/cluster/%d/queue/%s", b.clusterID, b.config.Queue)
	if err := b.client.call(ctx, http.MethodGet, path, nil, &queue); err != nil {
		return err
	}
	if queue.Queue == nil {
		return fmt.Errorf("the server's cluster %q has no queue %q", b.config.Cluster, b.config.Queue)
	}
	return queue.Queue.scan(&b.queueID)
}

func (b *binder) registerNodes(ctx context.Context) error {
	var nodes []object
	var keys []string
	for _, version := range b.versions {
		for part := range b.config.TasksPerTemplate {
			text := strconv.Itoa(part + 1)
			hash := digest("node", text).String()
			keys = append(keys, fmt.Sprintf("%d:%s", version.id, hash))
			nodes = append(nodes, object{
				"task_template_version_id": version.id,
				"node_args_hash":           hash,
				"node_args":                map[string]string{strconv.FormatInt(version.partArgID, 10): text},
			})
		}
	}
	ids := map[string]int64{}
	for chunk := range slices.Chunk(nodes, chunkSize) {
		var answer struct{ Nodes map[string]int64 }
		if err := b.client.call(ctx, http.MethodPost, "/nodes", object{"nodes": chunk}, &answer); err != nil {
			return err
		}
		maps.Copy(ids, answer.Nodes)
	}
	for chunk := range slices.Chunk(keys, b.config.TasksPerTemplate) {
		var parts []int64
		for _, key := range chunk {
			id, known := ids[key]
			if !known {
				return fmt.Errorf("the server did not say the id of node %s", key)
			}
			parts = append(parts, id)
		}
		b.nodes = append(b.nodes, parts)
	}
	return nil
}

func (b *binder) createWorkflow(ctx context.Context, number int) error {
	dagHash := short(digest("dag", fmt.Sprint(b.nodes)))
	var dag struct {
		ID      int64   `json:"dag_id"`
		Created *string `json:"created_date"`
	}
	if err := b.client.call(ctx, http.MethodPost, "/dag", object{"dag_hash": dagHash}, &dag); err != nil {
		return err
	}
	if dag.Created == nil {
		if err := b.createEdges(ctx, dag.ID); err != nil {
			return err
		}
	}
	// The server refuses arguments that it has seen, from an earlier demo too.
	args := fmt.Sprintf("live %d of %s", number, time.Now().UTC().Format(time.RFC3339Nano))
	var workflow struct {
		ID int64 `json:"workflow_id"`
	}
	err := b.client.call(ctx, http.MethodPost, "/workflow", object{
		"tool_version_id": b.toolVersionID, "dag_id": dag.ID,
		"workflow_args_hash": digest("args", args), "task_hash": digest("tasks", fmt.Sprint(b.nodes)),
		"description": "A live workflow of the demo. Its tasks run nothing.", "name": fmt.Sprintf("%s_%03d", b.config.Name, number),
		"workflow_args": args, "max_concurrently_running": b.config.MaxConcurrentlyRunning,
		"workflow_attributes": object{},
	}, &workflow)
	if err != nil {
		return err
	}
	b.workflowID = workflow.ID
	return nil
}

// createEdges tells the server that no task waits for another: the simulator decides what is ready.
func (b *binder) createEdges(ctx context.Context, dagID int64) error {
	var edges []object
	for _, node := range slices.Concat(b.nodes...) {
		edges = append(edges, object{"node_id": node, "upstream_node_ids": []int64{}, "downstream_node_ids": []int64{}})
	}
	for first := 0; first < len(edges); first += chunkSize {
		last := min(first+chunkSize, len(edges))
		request := object{"edges_to_add": edges[first:last], "mark_created": last == len(edges)}
		if err := b.client.call(ctx, http.MethodPost, fmt.Sprintf("/dag/%d/edges", dagID), request, nil); err != nil {
			return err
		}
	}
	return nil
}

func (b *binder) createArrays(ctx context.Context) error {
	for i, template := range b.templates() {
		var array struct {
			ID int64 `json:"array_id"`
		}
		err := b.client.call(ctx, http.MethodPost, "/array", object{
			"task_template_version_id": b.versions[i].id, "workflow_id": b.workflowID,
			"max_concurrently_running": jobmon.NoLimit, "name": template.name,
		}, &array)
		if err != nil {
			return err
		}
		b.arrays = append(b.arrays, array.ID)
	}
	return b.client.call(ctx, http.MethodPost, "/task/bind_resources", object{
		"queue_id": b.queueID, "task_resources_type_id": "O",
		"requested_resources": object{"cores": 1, "memory": 1, "runtime": 60},
	}, &b.resourcesID)
}

func (b *binder) bindTasks(ctx context.Context) error {
	type task struct {
		key      string
		template int
		fields   []any
	}
	var tasks []task
	for i, template := range b.templates() {
		for part := range b.config.TasksPerTemplate {
			text := strconv.Itoa(part + 1)
			tasks = append(tasks, task{
				key:      short(digest("task", template.name, text)).String(),
				template: i,
				fields: []any{
					b.nodes[i][part], digest("task args").String(), b.arrays[i], b.resourcesID,
					template.name + "_" + partArg + "-" + text, template.name + " --part " + text,
					jobmon.DefaultMaxAttempts, false, object{"memory": 0.5, "runtime": 0.5}, []string{},
				},
			})
		}
	}
	b.tasks = make(map[int64]int, len(tasks))
	for first := 0; first < len(tasks); first += chunkSize {
		last := min(first+chunkSize, len(tasks))
		chunk := make(map[string][]any, chunkSize)
		for _, task := range tasks[first:last] {
			chunk[task.key] = task.fields
		}
		var answer struct{ Tasks map[string]tuple }
		request := object{"workflow_id": b.workflowID, "tasks": chunk, "mark_created": last == len(tasks)}
		if err := b.client.call(ctx, http.MethodPut, "/task/bind_tasks_no_args", request, &answer); err != nil {
			return err
		}
		for _, task := range tasks[first:last] {
			var id int64
			if err := answer.Tasks[task.key].scan(&id); err != nil {
				return err
			}
			b.tasks[id] = task.template
		}
	}
	return nil
}

func (b *binder) startRun(ctx context.Context) error {
	var run struct {
		ID      *int64 `json:"workflow_run_id"`
		Refusal string `json:"err_msg"`
	}
	err := b.client.call(ctx, http.MethodPost, "/workflow_run", object{
		"workflow_id": b.workflowID, "user": "demo", "jobmon_version": clientVersion,
		"next_report_increment": runReportIncrement,
	}, &run)
	if err != nil {
		return err
	}
	if run.ID == nil {
		return fmt.Errorf("the server refuses a run of workflow %d: %s", b.workflowID, run.Refusal)
	}
	b.runID = *run.ID
	for _, status := range []jobmon.RunStatus{
		jobmon.RunBound, jobmon.RunInstantiated, jobmon.RunLaunched, jobmon.RunRunning,
	} {
		if err := b.updateRun(ctx, b.runID, status); err != nil {
			return err
		}
	}
	return nil
}

// updateRun moves a workflow run. The server answers the status that holds, whether it moved or not.
func (s *Simulator) updateRun(ctx context.Context, runID int64, status jobmon.RunStatus) error {
	var answer struct{ Status jobmon.RunStatus }
	path := fmt.Sprintf("/workflow_run/%d/update_status", runID)
	if err := s.client.call(ctx, http.MethodPut, path, object{"status": status}, &answer); err != nil {
		return err
	}
	if answer.Status != status {
		return fmt.Errorf("workflow run %d is %s and cannot become %s", runID, answer.Status.Name(), status.Name())
	}
	return nil
}

// digest is a hash of 256 bits, as JobMon's client makes them: a number of up to 78 digits.
func digest(parts ...string) *big.Int {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return new(big.Int).SetBytes(sum[:])
}

// short is a digest cut down to 60 bits, as JobMon's client sends those of graphs and tasks.
func short(digest *big.Int) *big.Int {
	return digest.Rsh(digest, 256-60)
}
