package api

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
)

type queueTaskBatchRequest struct {
	ArrayID         int64       `path:"array_id"`
	TaskIDs         list[int64] `body:"task_ids"`
	TaskResourcesID int64       `body:"task_resources_id"`
	RunID           int64       `body:"workflow_run_id"`
}

type tasksByStatusAnswer struct {
	TasksByStatus map[jobmon.TaskStatus][]int64 `json:"tasks_by_status"`
	Unknown       []int64                       `json:"unknown_task_ids,omitempty"`
}

func (s *server) queueTaskBatch(ctx context.Context, request queueTaskBatchRequest) (tasksByStatusAnswer, error) {
	tasks, err := s.Ledger.QueueTaskBatch(ctx, ledger.TaskBatch{
		RunID: request.RunID, ArrayID: request.ArrayID, TaskResourcesID: request.TaskResourcesID, TaskIDs: request.TaskIDs,
	})
	return tasksByStatusAnswer{tasks.ByStatus, tasks.Unknown}, err
}

type setResumeStateRequest struct {
	WorkflowID     int64 `path:"workflow_id"`
	ResetIfRunning bool  `body:"reset_if_running"`
}

func (s *server) setResumeState(ctx context.Context, request setResumeStateRequest) (none, error) {
	return none{}, s.Ledger.SetResumeState(ctx, request.WorkflowID, request.ResetIfRunning)
}

type resetWorkflowRequest struct {
	WorkflowID int64 `path:"workflow_id"`
	Partial    bool  `body:"partial_reset"`
}

func (s *server) resetWorkflow(ctx context.Context, request resetWorkflowRequest) (none, error) {
	return none{}, s.Ledger.ResetWorkflow(ctx, request.WorkflowID, request.Partial)
}

type updateStatusesRequest struct {
	WorkflowID int64             `body:"workflow_id"`
	Tasks      taskChoice        `body:"task_ids"`
	To         jobmon.TaskStatus `body:"new_status"`
	Recursive  *bool             `body:"recursive"`
}

// taskChoice is a list of task ids or the word all.
type taskChoice struct {
	ids list[int64]
	all bool
}

func (c *taskChoice) UnmarshalJSON(data []byte) error {
	var word string
	if json.Unmarshal(data, &word) == nil {
		if c.all = word == "all"; c.all {
			return nil
		}
		return jobmon.Errorf(jobmon.CodeInvalid, `a list of ids or "all" is expected, not %s`, excerpt(data))
	}
	return decodeValue(data, "task_ids", reflect.ValueOf(&c.ids).Elem())
}

type updateStatusesAnswer struct {
	Message string  `json:"message"`
	Unknown []int64 `json:"unknown_task_ids,omitempty"`
}

func (s *server) updateStatuses(ctx context.Context, request updateStatusesRequest) (updateStatusesAnswer, error) {
	outcome, err := s.Ledger.UpdateStatuses(ctx, ledger.StatusUpdate{
		WorkflowID: request.WorkflowID, TaskIDs: request.Tasks.ids, All: request.Tasks.all, To: request.To,
		Recursive: request.Recursive != nil && *request.Recursive,
	})
	tasks := "tasks"
	if len(outcome.Moved) == 1 {
		tasks = "task"
	}
	message := fmt.Sprintf("%d %s of workflow %d moved to %s", len(outcome.Moved), tasks, request.WorkflowID, request.To.Name())
	return updateStatusesAnswer{message, outcome.Unknown}, err
}
