package api

import (
	"context"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

type suspectsRequest struct {
	WorkflowID int64     `path:"workflow_id"`
	Limit      pageLimit `query:"limit"`
	Cursor     string    `query:"cursor"`
}

type suspectsAnswer struct {
	WorkflowID  int64     `json:"workflow_id"`
	Count       int64     `json:"count"`
	Since       *instant  `json:"since"` // the earliest of them
	Tasks       []suspect `json:"tasks"`
	NextCursor  *string   `json:"next_cursor"`
	GeneratedAt instant   `json:"generated_at"`
}

type suspect struct {
	ID               int64             `json:"id"`
	Name             string            `json:"name"`
	TaskTemplateName string            `json:"task_template_name"`
	Status           jobmon.TaskStatus `json:"status"`
	StatusName       string            `json:"status_name"`
	StatusAt         instant           `json:"status_at"`
	Since            instant           `json:"since"`
	Reason           suspicion         `json:"reason"`
	Run              suspectRun        `json:"workflow_run"`
}

// suspicion says why a task that is active may not be.
type suspicion string

const (
	runEnded suspicion = "run_ended"
	runLost  suspicion = "heartbeat_lost"
)

type suspectRun struct {
	ID          int64            `json:"id"`
	Status      jobmon.RunStatus `json:"status"`
	StatusName  string           `json:"status_name"`
	StatusAt    instant          `json:"status_at"`
	HeartbeatBy instant          `json:"heartbeat_by"`
}

// suspects answers which tasks count as active though nobody is there who would move them on.
func (s *server) suspects(ctx context.Context, request suspectsRequest) (suspectsAnswer, error) {
	limit := int(request.Limit)
	if limit == 0 {
		limit = defaultLimit
	}
	query := hashQuery("suspects", request.WorkflowID)
	after, err := readCursor(request.Cursor, query, 1)
	if err != nil {
		return suspectsAnswer{}, err
	}
	answer := suspectsAnswer{WorkflowID: request.WorkflowID, Tasks: []suspect{}}
	err = s.Reader.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		if _, err := snapshot.Workflow(ctx, request.WorkflowID); err != nil {
			return err
		}
		now, err := snapshot.Now(ctx)
		if err != nil {
			return err
		}
		answer.GeneratedAt = instant(now)
		for found, err := range snapshot.Suspects(ctx, request.WorkflowID, now) {
			if err != nil {
				return err
			}
			task := suspectOf(found)
			answer.Count++
			if answer.Since == nil || task.Since < *answer.Since {
				answer.Since = &task.Since
			}
			switch {
			case after != nil && found.TaskID <= after[0]:
			case len(answer.Tasks) < limit:
				answer.Tasks = append(answer.Tasks, task)
			case answer.NextCursor == nil:
				answer.NextCursor = new(writeCursor(query, answer.Tasks[limit-1].ID))
			}
		}
		return nil
	})
	return answer, err
}

func suspectOf(found store.Suspect) suspect {
	run := found.Run
	task := suspect{
		ID: found.TaskID, Name: found.TaskName, TaskTemplateName: found.TaskTemplateName,
		Status: found.Status, StatusName: found.Status.Name(), StatusAt: instant(found.StatusAt),
		Reason: runLost, Since: instant(max(run.HeartbeatAt, found.StatusAt)),
		Run: suspectRun{run.ID, run.Status, run.Status.Name(), instant(run.StatusAt), instant(run.HeartbeatAt)},
	}
	if run.Status.Ended() {
		// A worker may go on after its run has ended: what it did until then was no suspicion.
		task.Reason, task.Since = runEnded, instant(max(run.StatusAt, found.StatusAt))
	}
	return task
}
