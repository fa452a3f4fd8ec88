package api

import (
	"cmp"
	"context"
	"slices"

	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
)

type suspectsRequest struct {
	WorkflowID int64     `path:"workflow_id"`
	Groups     bool      `query:"groups"`
	Limit      pageLimit `query:"limit"`
	Cursor     string    `query:"cursor"`
}

type suspectsAnswer struct {
	WorkflowID int64     `json:"workflow_id"`
	Count      int64     `json:"count"`
	Since      *instant  `json:"since"` // the earliest of them
	Tasks      []suspect `json:"tasks"`
	NextCursor *string   `json:"next_cursor"`
	// Groups is null unless asked for.
	Groups      []suspectGroup `json:"groups"`
	Ungrouped   int64          `json:"ungrouped"`
	GeneratedAt instant        `json:"generated_at"`
}

type suspectGroup struct {
	TaskTemplateName string            `json:"task_template_name"`
	Status           jobmon.TaskStatus `json:"status"`
	Attempts         timeline.Attempts `json:"attempts"`
	Since            instant           `json:"since"`
	Count            int64             `json:"count"`
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
	query := hashQuery("suspects", request.WorkflowID)
	key, err := readCursor(request.Cursor, query, 1)
	if err != nil {
		return suspectsAnswer{}, err
	}
	after := int64(0)
	if key != nil {
		after = key[0]
	}
	found, err := s.Timeline.Suspects(ctx, request.WorkflowID, after, cmp.Or(int(request.Limit), defaultLimit))
	if err != nil {
		return suspectsAnswer{}, err
	}
	answer := suspectsAnswer{
		WorkflowID: request.WorkflowID, Count: found.Count, Since: known(found.Since),
		Tasks: make([]suspect, len(found.Page)), GeneratedAt: instant(found.Now),
	}
	for i, task := range found.Page {
		answer.Tasks[i] = suspectOf(task)
	}
	if request.Groups {
		answer.Groups, answer.Ungrouped = groupsOf(found.Groups), found.Ungrouped
	}
	if found.More {
		answer.NextCursor = new(writeCursor(query, found.Page[len(found.Page)-1].TaskID))
	}
	return answer, nil
}

// groupsOf lists groups by when they begin.
func groupsOf(groups map[timeline.SuspectGroup]int64) []suspectGroup {
	found := make([]suspectGroup, 0, len(groups))
	for group, count := range groups {
		found = append(found, suspectGroup{group.Template, group.Status, group.Attempts, instant(group.Since), count})
	}
	slices.SortFunc(found, func(a, b suspectGroup) int {
		return cmp.Or(
			cmp.Compare(a.Since, b.Since), cmp.Compare(a.TaskTemplateName, b.TaskTemplateName),
			cmp.Compare(a.Status, b.Status), cmp.Compare(a.Attempts, b.Attempts),
		)
	})
	return found
}

func suspectOf(found timeline.Suspect) suspect {
	run, reason := found.Run, runLost
	if run.Status.Ended() {
		reason = runEnded
	}
	return suspect{
		ID: found.TaskID, Name: found.TaskName, TaskTemplateName: found.TaskTemplateName,
		Status: found.Status, StatusName: found.Status.Name(), StatusAt: instant(found.StatusAt),
		Since: instant(found.Since), Reason: reason,
		Run: suspectRun{run.ID, run.Status, run.Status.Name(), instant(run.StatusAt), instant(run.HeartbeatAt)},
	}
}
