package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
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
	infos, err := s.both(ctx, request)
	if err != nil {
		return compareAnswer{}, err
	}
	asked := make([]timeline.Request, len(infos))
	answers := make([]timeline.Answer, len(infos))
	for i, info := range infos {
		if asked[i], err = s.compareWith(ctx, request, info, lengthOf(request, infos)); err != nil {
			return compareAnswer{}, err
		}
		if answers[i], err = s.Timeline.Concurrency(ctx, asked[i]); err != nil {
			return compareAnswer{}, err
		}
	}
	// The bucket that is fine enough for one may be too fine for the other.
	width := max(answers[0].Window.Bucket, answers[1].Window.Bucket)
	answer := compareAnswer{}
	for i, info := range infos {
		if asked[i].Bucket = width; answers[i].Window.Bucket != width {
			if answers[i], err = s.Timeline.Concurrency(ctx, asked[i]); err != nil {
				return compareAnswer{}, err
			}
		}
		numbers := numbersOf(answers[i], concurrencyRequest{Stat: request.Stat, Templates: request.Templates})
		answer.Workflows = append(answer.Workflows, compared{
			Name: info.Name, FirstTransitionAt: instant(info.FirstAt),
			LeadSeconds: seconds(asked[i].Start - answers[i].Window.Start),
			Concurrency: columnsOf(numbers, asked[i]),
		})
	}
	return answer, nil
}

// both returns the two workflows, of which each must have a transition.
func (s *server) both(ctx context.Context, request compareRequest) (infos []store.WorkflowInfo, err error) {
	err = s.Reader.View(ctx, func(ctx context.Context, snapshot store.Snapshot) error {
		now, err := snapshot.Now(ctx)
		if err != nil {
			return err
		}
		for i, id := range []int64{request.WorkflowID, request.With} {
			info, err := snapshot.Workflow(ctx, id)
			if i == 1 && jobmon.ErrorCode(err) == jobmon.CodeNotFound {
				return jobmon.FieldErrorf("with", "there is no workflow %d to compare with", id)
			}
			if err != nil {
				return err
			}
			if info.FirstAt == 0 {
				return jobmon.Errorf(jobmon.CodeInvalid, "workflow %d has no transition yet, from which it could be counted", id)
			}
			if info.Active {
				info.LastAt = max(now, info.LastAt)
			}
			infos = append(infos, info)
		}
		return nil
	})
	return infos, err
}

// lengthOf returns the length of both windows: what is asked for, or what is left of the longer life.
func lengthOf(request compareRequest, infos []store.WorkflowInfo) int64 {
	longest := int64(0)
	for _, info := range infos {
		longest = max(longest, info.LastAt+1-info.FirstAt-request.Offset.micros())
	}
	return max(1, cmp.Or(request.Duration.micros(), longest))
}

// compareWith makes the request of one of the workflows, which has some of the templates at least.
func (s *server) compareWith(
	ctx context.Context, request compareRequest, info store.WorkflowInfo, length int64,
) (timeline.Request, error) {
	templates := request.Templates
	if len(templates) > 0 {
		known, err := s.Timeline.Templates(ctx, info.ID)
		if err != nil {
			return timeline.Request{}, err
		}
		templates = slices.DeleteFunc(slices.Clone(templates), func(name string) bool { return !slices.Contains(known, name) })
		if len(templates) == 0 {
			return timeline.Request{}, jobmon.FieldErrorf("task_template_name", "workflow %d has none of these task templates", info.ID)
		}
	}
	start := instant(info.FirstAt + request.Offset.micros())
	end := start + instant(length)
	return concurrencyRequest{
		WorkflowID: info.ID, Start: &start, End: &end, Granularity: cmp.Or(request.Granularity, granularityAuto),
		MaxPoints: request.MaxPoints, Statuses: request.Statuses, Templates: templates, Top: request.Top, Format: formatColumns,
	}.timeline()
}
