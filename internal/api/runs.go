package api

import (
	"context"
	"slices"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

type linkRunRequest struct {
	WorkflowID      int64   `body:"workflow_id"`
	User            *string `body:"user"`
	JobmonVersion   *string `body:"jobmon_version"`
	HeartbeatWithin within  `body:"next_report_increment"`
}

type linkRunAnswer struct {
	ID     *int64            `json:"workflow_run_id"` // null when the run was refused
	Status *jobmon.RunStatus `json:"status,omitempty"`
	ErrMsg string            `json:"err_msg,omitempty"`
}

func (s *server) linkRun(ctx context.Context, request linkRunRequest) (linkRunAnswer, error) {
	if err := s.mayRunAs(ctx, text(request.User)); err != nil {
		return linkRunAnswer{}, err
	}
	run, refusal, err := s.Ledger.LinkRun(
		ctx, request.WorkflowID, text(request.User), text(request.JobmonVersion), time.Duration(request.HeartbeatWithin))
	if err != nil || refusal != "" {
		return linkRunAnswer{ErrMsg: refusal}, err
	}
	return linkRunAnswer{ID: &run.ID, Status: &run.Status}, nil
}

// runStatusAnswer holds the status that a run has, whether it is the one asked for or not.
type runStatusAnswer struct {
	Status jobmon.RunStatus `json:"status"`
}

type updateRunStatusRequest struct {
	ID     int64            `path:"workflow_run_id"`
	Status jobmon.RunStatus `body:"status"`
}

func (s *server) updateRunStatus(ctx context.Context, request updateRunStatusRequest) (runStatusAnswer, error) {
	status, err := s.Ledger.MoveRun(ctx, request.ID, request.Status)
	return runStatusAnswer{status}, err
}

type logHeartbeatRequest struct {
	ID              int64            `path:"workflow_run_id"`
	Status          jobmon.RunStatus `body:"status"`
	HeartbeatWithin within           `body:"next_report_increment"`
}

func (s *server) logHeartbeat(ctx context.Context, request logHeartbeatRequest) (runStatusAnswer, error) {
	status, err := s.Ledger.Heartbeat(ctx, request.ID, request.Status, time.Duration(request.HeartbeatWithin))
	return runStatusAnswer{status}, err
}

type timeAnswer struct {
	Time databaseText `json:"time"`
}

func (s *server) databaseTime(ctx context.Context, _ none) (timeAnswer, error) {
	var answer timeAnswer
	err := s.Reader.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		now, err := snapshot.Now(ctx)
		answer.Time = databaseTextOf(now)
		return err
	})
	return answer, err
}

type syncStatusRequest struct {
	RunID       int64                 `path:"workflow_run_id"`
	InstanceIDs []int64               `body:"task_instance_ids"`
	Status      jobmon.InstanceStatus `body:"status"`
}

type syncStatusAnswer struct {
	StatusUpdates map[jobmon.InstanceStatus][]int64 `json:"status_updates"`
	Time          databaseText                      `json:"time"`
}

// syncStatus tells a distributor, which believes that the listed instances are in a status, which of
// them are in another one, and which others of its run are in that one.
func (s *server) syncStatus(ctx context.Context, request syncStatusRequest) (syncStatusAnswer, error) {
	if err := checkLength(len(request.InstanceIDs), maxKnown); err != nil {
		return syncStatusAnswer{}, named("task_instance_ids", err)
	}
	answer := syncStatusAnswer{StatusUpdates: map[jobmon.InstanceStatus][]int64{}}
	listed := make(map[int64]bool, len(request.InstanceIDs))
	for _, id := range request.InstanceIDs {
		listed[id] = true
	}
	err := s.Reader.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		now, err := snapshot.Now(ctx)
		if err != nil {
			return err
		}
		answer.Time = databaseTextOf(now)
		if _, err := snapshot.Run(ctx, request.RunID); err != nil {
			return err
		}
		// An empty list is no restriction to a filter, so it must not be asked about.
		var known []store.Instance
		if len(request.InstanceIDs) > 0 {
			if known, err = snapshot.Instances(ctx, store.InstanceFilter{IDs: request.InstanceIDs}); err != nil {
				return err
			}
		}
		inStatus, err := snapshot.Instances(ctx, store.InstanceFilter{
			RunID: request.RunID, Statuses: []jobmon.InstanceStatus{request.Status},
		})
		if err != nil {
			return err
		}
		changed := slices.DeleteFunc(known, func(i store.Instance) bool { return i.Status == request.Status })
		others := slices.DeleteFunc(inStatus, func(i store.Instance) bool { return listed[i.ID] })
		for _, instance := range append(changed, others...) {
			answer.StatusUpdates[instance.Status] = append(answer.StatusUpdates[instance.Status], instance.ID)
		}
		return nil
	})
	return answer, err
}
