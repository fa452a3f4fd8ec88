package api

import (
	"context"
	"strconv"
	"time"

	"tasktide/internal/auth"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/timeline"
)

type listWorkflowsRequest struct {
	Search search         `query:"search"`
	Status workflowStatus `query:"status"`
	Limit  pageLimit      `query:"limit"`
	Cursor cursor         `query:"cursor"`
	// Activity asks for what each workflow does.
	Activity bool `query:"activity"`
}

// workflowStatus is a status by its letter or name, or nothing.
type workflowStatus struct{ jobmon.WorkflowStatus }

func (s *workflowStatus) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	return s.WorkflowStatus.UnmarshalText(text)
}

// search is a part of a workflow's name.
type search string

func (s *search) UnmarshalText(text []byte) error {
	const most = 200
	if characters := len([]rune(string(text))); characters > most {
		return jobmon.Errorf(jobmon.CodeInvalid, "search may have at most %d characters, not %d", most, characters)
	}
	*s = search(text)
	return nil
}

// pageLimit is how many workflows a page has; 0 means defaultLimit.
type pageLimit int

const (
	defaultLimit = 50
	maxLimit     = 200
)

func (l *pageLimit) UnmarshalText(text []byte) error {
	return upTo("limit", maxLimit, text, (*int)(l))
}

// cursor is the id that the page before ended with; clients are not told so.
type cursor int64

func (c *cursor) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	id, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || id < 1 {
		return jobmon.Errorf(jobmon.CodeInvalid, "cursor must be the next_cursor of an earlier answer, not %q", text)
	}
	*c = cursor(id)
	return nil
}

type listWorkflowsAnswer struct {
	Workflows  []workflow `json:"workflows"`
	NextCursor *string    `json:"next_cursor"`
}

type workflow struct {
	ID                     int64                 `json:"id"`
	Name                   string                `json:"name"`
	Tool                   string                `json:"tool"`
	User                   *string               `json:"user"`
	Status                 jobmon.WorkflowStatus `json:"status"`
	StatusName             string                `json:"status_name"`
	CreatedAt              *instant              `json:"created_at"`
	StatusAt               *instant              `json:"status_at"`
	FirstTransitionAt      *instant              `json:"first_transition_at"`
	LastTransitionAt       *instant              `json:"last_transition_at"`
	Active                 bool                  `json:"active"`
	MaxConcurrentlyRunning int64                 `json:"max_concurrently_running"`
	Activity               *activity             `json:"activity,omitempty"` // when it is asked for
}

// activity says in short what a workflow does.
type activity struct {
	Tasks       map[string]int64 `json:"tasks"` // by the letters of their statuses
	Running     int64            `json:"running"`
	Peak        int64            `json:"peak_24h"`
	Sparkline   []*int64         `json:"sparkline"`
	GeneratedAt instant          `json:"generated_at"`
}

func activityOf(a timeline.Activity) *activity {
	told := &activity{
		Tasks: tasksByStatus(a.Levels), Running: a.Levels[jobmon.TaskRunning], GeneratedAt: instant(a.Now),
		Sparkline: make([]*int64, timeline.ActivityPoints),
	}
	for i := range a.Peaks {
		told.Peak = max(told.Peak, a.Peaks[i])
		told.Sparkline[len(told.Sparkline)-len(a.Peaks)+i] = &a.Peaks[i]
	}
	return told
}

func workflowOf(info store.WorkflowInfo) workflow {
	w := workflow{
		ID: info.ID, Name: info.Name, Tool: info.Tool, Status: info.Status, StatusName: info.Status.Name(),
		CreatedAt: known(info.CreatedAt), StatusAt: known(info.StatusAt),
		FirstTransitionAt: known(info.FirstAt), LastTransitionAt: known(info.LastAt),
		Active: info.Active, MaxConcurrentlyRunning: info.MaxConcurrentlyRunning,
	}
	if info.User != "" {
		w.User = &info.User
	}
	return w
}

func (s *server) listWorkflows(ctx context.Context, request listWorkflowsRequest) (listWorkflowsAnswer, error) {
	limit := int(request.Limit)
	if limit == 0 {
		limit = defaultLimit
	}
	if request.Activity && limit > defaultLimit {
		return listWorkflowsAnswer{}, jobmon.FieldErrorf("limit", "with activity, a page has at most %d workflows", defaultLimit)
	}
	// One more than a page shows whether there is another.
	filter := store.WorkflowFilter{
		Search: string(request.Search), Status: request.Status.WorkflowStatus, BeforeID: int64(request.Cursor), Limit: limit + 1,
	}
	if who := identityOf(ctx); s.Guard != nil && !s.Guard.Policy.Whatever(who, auth.Read) {
		filter.User = who.User
	}
	var infos []store.WorkflowInfo
	err := s.Pages.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		infos, err = snapshot.Workflows(ctx, filter)
		return err
	})
	if err != nil {
		return listWorkflowsAnswer{}, err
	}
	answer := listWorkflowsAnswer{Workflows: []workflow{}}
	for _, info := range infos[:min(limit, len(infos))] {
		answer.Workflows = append(answer.Workflows, workflowOf(info))
	}
	if len(infos) > limit {
		next := strconv.FormatInt(infos[limit-1].ID, 10)
		answer.NextCursor = &next
	}
	if request.Activity {
		return answer, s.addActivity(ctx, answer.Workflows)
	}
	return answer, nil
}

func (s *server) addActivity(ctx context.Context, workflows []workflow) error {
	ids := make([]int64, len(workflows))
	for i := range workflows {
		ids[i] = workflows[i].ID
	}
	activities, err := s.Timeline.Activity(ctx, ids)
	if err != nil {
		return err
	}
	for i := range workflows {
		workflows[i].Activity = activityOf(activities[i])
	}
	return nil
}

type workflowRequest struct {
	ID int64 `path:"workflow_id"`
}

func (s *server) getWorkflow(ctx context.Context, request workflowRequest) (workflow, error) {
	var info store.WorkflowInfo
	err := s.Pages.View(ctx, func(ctx context.Context, snapshot store.Snapshot) (err error) {
		info, err = snapshot.Workflow(ctx, request.ID)
		return err
	})
	return workflowOf(info), err
}

type workflowTemplatesAnswer struct {
	TaskTemplates []string `json:"task_templates"`
}

func (s *server) workflowTemplates(ctx context.Context, request workflowRequest) (workflowTemplatesAnswer, error) {
	names, err := s.Timeline.Templates(ctx, request.ID)
	return workflowTemplatesAnswer{names}, err
}

// instant is a moment in microseconds since the Unix epoch. On the wire it is RFC 3339: read with any
// offset, written in UTC with no more digits than it has.
type instant int64

// known returns nil for 0, which stands for a moment that has not come.
func known(micros int64) *instant {
	if micros == 0 {
		return nil
	}
	return (*instant)(&micros)
}

func (i instant) String() string {
	return time.UnixMicro(int64(i)).UTC().Format("2006-01-02T15:04:05.999999Z")
}

// MarshalJSON is not MarshalText, so that reading and writing stay apart: bodies hold no instants.
func (i instant) MarshalJSON() ([]byte, error) { return []byte(`"` + i.String() + `"`), nil }

func (i *instant) UnmarshalText(text []byte) error {
	written := string(text)
	if sign := len(written) - len("+02:00"); sign > 0 && written[sign] == ' ' {
		// In a query, a plus sign that is not escaped stands for a space.
		written = written[:sign] + "+" + written[sign+1:]
	}
	at, err := time.Parse(time.RFC3339, written)
	if err != nil || at.UnixMicro() < 0 || at.UTC().Year() > 9999 {
		return jobmon.Errorf(jobmon.CodeInvalid,
			"%q is not an instant from 1970-01-01T00:00:00Z on and before 10000; write it like 2022-05-13T03:24:00Z or "+
				"2022-05-13T05:24:00+02:00", text)
	}
	*i = instant(at.UnixMicro())
	return nil
}
