package api

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
)

type compareRequest struct {
	WorkflowID  int64         `path:"workflow_id"`
	With        int64         `query:"with"`
	Offset      wholeSeconds  `query:"offset_seconds"`
	Duration    wholeSeconds  `query:"duration_seconds"`
	Granularity granularity   `query:"granularity"`
	MaxPoints   maxPoints     `query:"max_points"`
	Stat        stat          `query:"stat"`
	Statuses    []statusUnion `query:"status"`
	Templates   []string      `query:"task_template_name"`
	Top         top           `query:"top"`
	Split       split         `query:"split"`
}

// wholeSeconds is a time that may be as long as a workflow lives.
type wholeSeconds int64

func (s *wholeSeconds) UnmarshalText(text []byte) error {
	const most = 100 * 366 * 24 * 3600
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || n < 0 || n > most {
		return jobmon.Errorf(jobmon.CodeInvalid, "a time must be a whole number of seconds from 0 to %d, not %q", most, excerpt(text))
	}
	*s = wholeSeconds(n)
	return nil
}

func (s wholeSeconds) micros() int64 { return int64(s) * time.Second.Microseconds() }

type compareAnswer struct {
	Workflows []compared `json:"workflows"` // as asked for
}

type compared struct {
	Name              string  `json:"name"`
	FirstTransitionAt instant `json:"first_transition_at"`
	// LeadSeconds is from the beginning of the window until as long after the first transition as was asked for.
	LeadSeconds float64 `json:"lead_seconds"`
	Concurrency columns `json:"concurrency"`
}

// compare answers the same window of two workflows, each counted from its own first transition.
func (s *server) compare(ctx context.Context, request compareRequest) (compareAnswer, error) {
	if request.With == 0 {
		return compareAnswer{}, jobmon.FieldErrorf("with", "give the id of the workflow to compare with")
	}
	asked, err := concurrencyRequest{
		Granularity: cmp.Or(request.Granularity, granularityAuto), MaxPoints: request.MaxPoints,
		Statuses: request.Statuses, Templates: request.Templates, Top: request.Top, Split: request.Split,
		Format: formatColumns,
	}.timeline()
	if err != nil {
		return compareAnswer{}, err
	}
	found, err := s.Timeline.Compare(ctx, timeline.Comparison{
		Request: asked, WorkflowIDs: []int64{request.WorkflowID, request.With},
		Offset: request.Offset.micros(), Length: request.Duration.micros(),
	})
	answer := compareAnswer{Workflows: make([]compared, len(found))}
	for i, one := range found {
		numbers := numbersOf(one.Answer, concurrencyRequest{Stat: request.Stat, Templates: request.Templates})
		asked.WorkflowID = one.Workflow.ID
		answer.Workflows[i] = compared{
			one.Workflow.Name, instant(one.Workflow.FirstAt), seconds(one.Lead), columnsOf(numbers, asked),
		}
	}
	return answer, err
}
