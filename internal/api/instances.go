package api

import (
	"context"
	"encoding/json"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

type instantiateRequest struct {
	InstanceIDs list[int64] `body:"task_instance_ids"`
}

type instantiateAnswer struct {
	// Array id and name, batch number, task resources id, instance ids.
	Batches [][5]any `json:"task_instance_batches"`
	Unknown []int64  `json:"unknown_task_instance_ids,omitempty"`
}

func (s *server) instantiate(ctx context.Context, request instantiateRequest) (instantiateAnswer, error) {
	batches, unknown, err := s.Ledger.Instantiate(ctx, request.InstanceIDs)
	answer := instantiateAnswer{make([][5]any, len(batches)), unknown}
	for i, batch := range batches {
		answer.Batches[i] = [5]any{batch.ArrayID, batch.ArrayName, batch.BatchNum, batch.TaskResourcesID, batch.InstanceIDs}
	}
	return answer, err
}

type launchBatchRequest struct {
	ArrayID      int64  `path:"array_id"`
	BatchNumber  int64  `body:"batch_number"`
	ReportWithin within `body:"next_report_increment"`
}

func (s *server) launchBatch(ctx context.Context, request launchBatchRequest) (none, error) {
	return none{}, s.Ledger.Launch(ctx, request.ArrayID, request.BatchNumber, time.Duration(request.ReportWithin))
}

type killBatchRequest struct {
	ArrayID     int64 `path:"array_id"`
	BatchNumber int64 `body:"batch_number"`
}

func (s *server) killBatch(ctx context.Context, request killBatchRequest) (none, error) {
	return none{}, s.Ledger.KillBatch(ctx, request.ArrayID, request.BatchNumber)
}

type logRunningRequest struct {
	ID             int64     `path:"task_instance_id"`
	Nodename       *string   `body:"nodename"`
	ProcessGroupID *looseInt `body:"process_group_id"`
	ReportWithin   within    `body:"next_report_increment"`
	DistributorID  *string   `body:"distributor_id"`
}

type logRunningAnswer struct {
	// Id, status, run id, task id, name, command, workflow id, folder of stdout and of stderr.
	Instance [9]any `json:"task_instance"`
}

func (s *server) logRunning(ctx context.Context, request logRunningRequest) (logRunningAnswer, error) {
	report := store.InstanceReport{
		Nodename: request.Nodename, ProcessGroupID: (*int64)(request.ProcessGroupID), DistributorID: request.DistributorID,
	}
	attempt, err := s.Ledger.LogRunning(ctx, request.ID, report, time.Duration(request.ReportWithin))
	if err != nil {
		return logRunningAnswer{}, err
	}
	instance, task := attempt.Instance, attempt.Task
	stdout, stderr, err := s.outputFolders(ctx, instance.TaskResourcesID)
	return logRunningAnswer{[9]any{
		instance.ID, instance.Status, instance.RunID, task.ID, task.Name, task.Command, task.WorkflowID, stdout, stderr,
	}}, err
}

// outputFolders returns where the user of a task wants its output, nil where nothing is said of it.
func (s *server) outputFolders(ctx context.Context, taskResourcesID int64) (stdout, stderr *string, err error) {
	if taskResourcesID == 0 {
		return nil, nil, nil
	}
	var requested string
	err = s.Reader.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		requested, err = snapshot.RequestedResources(ctx, taskResourcesID)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	var members map[string]any
	if err := json.Unmarshal([]byte(requested), &members); err != nil {
		return nil, nil, jobmon.Errorf(jobmon.CodeInternal, "task resources %d are not JSON: %w", taskResourcesID, err)
	}
	folder := func(name string) *string {
		if path, ok := members[name].(string); ok {
			return &path
		}
		return nil
	}
	return folder("stdout"), folder("stderr"), nil
}

// instanceStatusAnswer holds the status that an instance has, whether it is the one reported or not.
type instanceStatusAnswer struct {
	Status jobmon.InstanceStatus `json:"status"`
}

type logDoneRequest struct {
	ID            int64      `path:"task_instance_id"`
	Stdout        *string    `body:"stdout"`
	Stderr        *string    `body:"stderr"`
	StdoutLog     *string    `body:"stdout_log"`
	StderrLog     *string    `body:"stderr_log"`
	Nodename      *string    `body:"nodename"`
	DistributorID *string    `body:"distributor_id"`
	Wallclock     *looseText `body:"wallclock"`
	MaxRSS        *looseText `body:"maxrss"`
	CPU           *looseText `body:"cpu"`
	Usage         *looseText `body:"usage_str"`
}

func (request logDoneRequest) report() store.InstanceReport {
	return store.InstanceReport{
		DistributorID: request.DistributorID, Nodename: request.Nodename,
		Stdout: request.Stdout, Stderr: request.Stderr, StdoutLog: request.StdoutLog, StderrLog: request.StderrLog,
		Wallclock: (*string)(request.Wallclock), MaxRSS: (*string)(request.MaxRSS),
		CPU: (*string)(request.CPU), Usage: (*string)(request.Usage),
	}
}

func (s *server) logDone(ctx context.Context, request logDoneRequest) (instanceStatusAnswer, error) {
	attempt, err := s.Ledger.LogDone(ctx, request.ID, request.report())
	return instanceStatusAnswer{attempt.Instance.Status}, err
}

type logErrorRequest struct {
	logDoneRequest
	State       jobmon.InstanceStatus `body:"error_state"`
	Description *string               `body:"error_description"`
}

func (s *server) logError(ctx context.Context, request logErrorRequest) (instanceStatusAnswer, error) {
	attempt, err := s.Ledger.LogError(ctx, request.ID, request.State, text(request.Description), request.report())
	return instanceStatusAnswer{attempt.Instance.Status}, err
}
