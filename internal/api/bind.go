package api

import (
	"bytes"
	"context"
	"encoding/json"
	"math"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store"
)

type matchingWorkflowsRequest struct {
	ArgsHash hash `path:"workflow_args_hash"`
}

type matchingWorkflowsAnswer struct {
	// Task hash, tool version id, graph hash. The hashes are texts: a client that gets numbers takes
	// every workflow for another one.
	MatchingWorkflows [][3]any `json:"matching_workflows"`
}

func (s *server) matchingWorkflows(ctx context.Context, request matchingWorkflowsRequest) (matchingWorkflowsAnswer, error) {
	matches, err := s.Catalog.WorkflowsByArgs(ctx, string(request.ArgsHash))
	if err != nil {
		return matchingWorkflowsAnswer{}, err
	}
	if matches, err = s.visible(ctx, matches); err != nil {
		return matchingWorkflowsAnswer{}, err
	}
	answer := matchingWorkflowsAnswer{make([][3]any, len(matches))}
	for i, match := range matches {
		answer.MatchingWorkflows[i] = [3]any{match.TaskHash, match.ToolVersionID, match.DAGHash}
	}
	return answer, nil
}

type bindWorkflowRequest struct {
	ToolVersionID          int64                 `body:"tool_version_id"`
	DAGID                  int64                 `body:"dag_id"`
	ArgsHash               hash                  `body:"workflow_args_hash"`
	TaskHash               hash                  `body:"task_hash"`
	Description            *string               `body:"description"`
	Name                   *string               `body:"name"`
	Args                   *string               `body:"workflow_args"`
	MaxConcurrentlyRunning int64                 `body:"max_concurrently_running"`
	Attributes             *map[string]looseText `body:"workflow_attributes"`
}

type workflowAnswer struct {
	ID           int64                 `json:"workflow_id"`
	Status       jobmon.WorkflowStatus `json:"status"`
	NewlyCreated bool                  `json:"newly_created"`
}

func (s *server) bindWorkflow(ctx context.Context, request bindWorkflowRequest) (workflowAnswer, error) {
	var attributes map[string]string
	if request.Attributes != nil {
		if err := checkLength(len(*request.Attributes), maxItems); err != nil {
			return workflowAnswer{}, named("workflow_attributes", err)
		}
		attributes = make(map[string]string, len(*request.Attributes))
		for name, value := range *request.Attributes {
			attributes[name] = string(value)
		}
	}
	key := store.WorkflowKey{
		ToolVersionID: request.ToolVersionID, DAGID: request.DAGID,
		ArgsHash: string(request.ArgsHash), TaskHash: string(request.TaskHash),
	}
	if err := s.mayRebind(ctx, key); err != nil {
		return workflowAnswer{}, err
	}
	workflow, created, err := s.Ledger.BindWorkflow(ctx, store.Workflow{
		WorkflowKey: key,
		Name:        text(request.Name), Description: text(request.Description), Args: text(request.Args),
		MaxConcurrentlyRunning: request.MaxConcurrentlyRunning,
	}, attributes)
	return workflowAnswer{workflow.ID, workflow.Status, created}, err
}

type bindArrayRequest struct {
	TaskTemplateVersionID  int64   `body:"task_template_version_id"`
	WorkflowID             int64   `body:"workflow_id"`
	MaxConcurrentlyRunning int64   `body:"max_concurrently_running"`
	Name                   *string `body:"name"`
}

type arrayAnswer struct {
	ID int64 `json:"array_id"`
}

func (s *server) bindArray(ctx context.Context, request bindArrayRequest) (arrayAnswer, error) {
	id, err := s.Ledger.BindArray(ctx, store.Array{
		TaskTemplateVersionID: request.TaskTemplateVersionID, WorkflowID: request.WorkflowID,
		Name: text(request.Name), MaxConcurrentlyRunning: request.MaxConcurrentlyRunning,
	})
	return arrayAnswer{id}, err
}

type bindResourcesRequest struct {
	QueueID   *int64       `body:"queue_id"`
	Type      resourceType `body:"task_resources_type_id"`
	Requested jsonObject   `body:"requested_resources"`
}

// resourceType says where a request for resources comes from.
type resourceType string

func (t *resourceType) UnmarshalText(text []byte) error {
	switch *t = resourceType(text); *t {
	case "O", "V", "A":
		return nil
	default:
		return jobmon.Errorf(jobmon.CodeInvalid, "%s is none of O (original), V (validated), A (adjusted)", excerpt(text))
	}
}

// bindResources answers a bare number.
func (s *server) bindResources(ctx context.Context, request bindResourcesRequest) (int64, error) {
	return s.Catalog.AddTaskResources(ctx, store.TaskResources{
		QueueID: request.QueueID, Type: string(request.Type), Requested: string(request.Requested),
	})
}

type bindTasksRequest struct {
	WorkflowID  int64       `body:"workflow_id"`
	Tasks       taskObjects `body:"tasks"`
	MarkCreated bool        `body:"mark_created"`
}

// taskObjects are the members of a JSON object of tasks, in the order in which they were sent: that
// is the order of the ids that they get.
type taskObjects struct {
	keys     []string // task hashes, echoed to the client
	bindings []ledger.TaskBinding
}

func (o *taskObjects) UnmarshalJSON(data []byte) error {
	tokens := json.NewDecoder(bytes.NewReader(data))
	if start, err := tokens.Token(); err != nil || start != json.Delim('{') {
		return jobmon.Errorf(jobmon.CodeInvalid, "an object is expected, not %s", excerpt(data))
	}
	for tokens.More() {
		key, err := tokens.Token()
		if err != nil {
			return err
		}
		var task boundTask
		if err := tokens.Decode(&task); err != nil {
			return jobmon.FieldErrorf("tasks", "task %v: %w", key, err)
		}
		o.keys = append(o.keys, key.(string)) //nolint:forcetypeassert // the key of an object is nothing else
		o.bindings = append(o.bindings, task.binding())
		if err := checkLength(len(o.keys), maxItems); err != nil {
			return err
		}
	}
	return nil
}

type boundTask struct {
	nodeID, arrayID                int64
	maxAttempts                    attempts
	taskResourcesID                *int64
	argsHash                       label
	name, command                  string
	resetIfRunning                 bool
	resourceScales, fallbackQueues *jsonText
}

func (t *boundTask) UnmarshalJSON(data []byte) error {
	return decodeTuple(data,
		element{"node_id", &t.nodeID}, element{"task_args_hash", &t.argsHash}, element{"array_id", &t.arrayID},
		element{"task_resources_id", &t.taskResourcesID}, element{"name", &t.name}, element{"command", &t.command},
		element{"max_attempts", &t.maxAttempts}, element{"reset_if_running", &t.resetIfRunning},
		element{"resource_scales", &t.resourceScales}, element{"fallback_queues", &t.fallbackQueues},
	)
}

// attempts is how often a task may be tried.
type attempts int

func (a *attempts) UnmarshalJSON(data []byte) error {
	if json.Unmarshal(data, (*int)(a)) != nil || *a < 0 || *a > math.MaxInt32 {
		return jobmon.Errorf(jobmon.CodeInvalid, "a whole number from 0 to %d is expected, not %s", math.MaxInt32, excerpt(data))
	}
	return nil
}

func (t *boundTask) binding() ledger.TaskBinding {
	binding := ledger.TaskBinding{
		NodeID: t.nodeID, ArrayID: t.arrayID, ArgsHash: string(t.argsHash), Name: t.name, Command: t.command,
		MaxAttempts: int(t.maxAttempts), ResetIfRunning: t.resetIfRunning,
		ResourceScales: text(t.resourceScales), FallbackQueues: text(t.fallbackQueues),
	}
	if t.taskResourcesID != nil {
		binding.TaskResourcesID = *t.taskResourcesID
	}
	return binding
}

type boundTasksAnswer struct {
	Tasks map[string][2]any `json:"tasks"` // id, status
}

func (s *server) bindTasks(ctx context.Context, request bindTasksRequest) (boundTasksAnswer, error) {
	bound, err := s.Ledger.BindTasks(ctx, request.WorkflowID, request.Tasks.bindings, request.MarkCreated)
	answer := boundTasksAnswer{make(map[string][2]any, len(bound))}
	for i, task := range bound {
		answer.Tasks[request.Tasks.keys[i]] = [2]any{task.ID, task.Status}
	}
	return answer, err
}
