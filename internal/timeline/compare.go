package timeline

import (
	"cmp"
	"context"
	"slices"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Comparison asks for the same window of several workflows, each counted from its own first transition.
type Comparison struct {
	// Request says all that is not about the window; its WorkflowID, All, Last, Start and End are ignored. Each
	// of its templates is in one of the workflows at least, and each workflow has one of them.
	Request

	WorkflowIDs []int64
	Offset      int64 // how long after the first transition the window begins, in microseconds
	Length      int64 // of the window, in microseconds; 0 means until the longest of them has ended
}

// Compared is the answer about one of them.
type Compared struct {
	Answer

	Workflow store.WorkflowInfo
	// Lead is how long after the beginning of its first bucket the instant lies that is compared, in
	// microseconds: buckets are aligned to UTC.
	Lead int64
}

// Compare answers in the order of the workflows, all in buckets of one width, from one snapshot. Errors are
// those of [Timeline.Concurrency], and CodeInvalid for a workflow after the first that does not exist, and for
// one that has no transition yet.
func (t *Timeline) Compare(ctx context.Context, c Comparison) ([]Compared, error) {
	var all []Compared
	err := t.view(ctx, func(ctx context.Context, snapshot store.Snapshot, found *damage) error {
		requests, err := c.requests(ctx, snapshot)
		if err != nil {
			return err
		}
		// The bucket that is fine enough for one may be too fine for another.
		width := c.Bucket
		for _, request := range requests {
			q, _, err := ask(ctx, snapshot, found, request)
			if err != nil {
				return err
			}
			width = max(width, q.window.Bucket)
		}
		for _, request := range requests {
			request.Bucket = width
			q, version, err := ask(ctx, snapshot, found, request)
			if err != nil {
				return err
			}
			answer, err := q.answer(ctx, snapshot, request)
			if err != nil {
				return err
			}
			answer.Version = version
			all = append(all, Compared{answer, q.workflow, request.Start - q.window.Start})
		}
		return nil
	})
	return all, err
}

// requests makes the request about each workflow.
func (c Comparison) requests(ctx context.Context, snapshot store.Snapshot) ([]Request, error) {
	now, err := snapshot.Now(ctx)
	if err != nil {
		return nil, err
	}
	requests := make([]Request, len(c.WorkflowIDs))
	longest := int64(1)
	for i, id := range c.WorkflowIDs {
		workflow, err := snapshot.Workflow(ctx, id)
		if i > 0 && jobmon.ErrorCode(err) == jobmon.CodeNotFound {
			return nil, jobmon.FieldErrorf("with", "there is no workflow %d to compare with", id)
		}
		if err != nil {
			return nil, err
		}
		if workflow.FirstAt == 0 {
			return nil, jobmon.Errorf(jobmon.CodeInvalid, "workflow %d has no transition yet, from which it could be counted", id)
		}
		request := c.Request
		request.WorkflowID, request.All, request.Last = id, false, 0
		request.Start = workflow.FirstAt + c.Offset
		last := workflow.LastAt
		if workflow.Active {
			last = max(last, now)
		}
		longest = max(longest, last+1-request.Start)
		if request.Templates, err = c.templatesOf(ctx, snapshot, id); err != nil {
			return nil, err
		}
		requests[i] = request
	}
	for i := range requests {
		requests[i].End = new(requests[i].Start + cmp.Or(c.Length, longest))
	}
	return requests, nil
}

// templatesOf returns those of the templates that a workflow has.
func (c Comparison) templatesOf(ctx context.Context, snapshot store.Snapshot, workflowID int64) ([]string, error) {
	if len(c.Templates) == 0 {
		return nil, nil
	}
	known, err := snapshot.TemplateNames(ctx, workflowID)
	if err != nil {
		return nil, err
	}
	names := namesOf(known)
	has := slices.DeleteFunc(slices.Clone(c.Templates), func(name string) bool { return !slices.Contains(names, name) })
	if len(has) == 0 {
		return nil, jobmon.FieldErrorf("task_template_name", "workflow %d has none of these task templates", workflowID)
	}
	return has, nil
}
