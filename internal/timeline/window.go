package timeline

import (
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// chooseWindow turns a request into whole buckets, no more than an answer about so many series may
// have.
func chooseWindow(
	request Request, workflow store.WorkflowInfo, now int64, series int,
) (concurrency.Window, error) {
	most := min(MaxBuckets, MaxCells/max(1, series))
	if request.Bucket == 0 {
		var window concurrency.Window
		for _, bucket := range Buckets() {
			var err error
			if window, err = cover(request, workflow, now, bucket); err != nil {
				return concurrency.Window{}, err
			}
			if window.Count <= min(most, AutoBuckets) {
				return window, nil
			}
		}
		return window, checkCount(window, most)
	}
	window, err := cover(request, workflow, now, request.Bucket)
	if err != nil {
		return concurrency.Window{}, err
	}
	return window, checkCount(window, most)
}

func checkCount(window concurrency.Window, most int) error {
	if window.Count <= most {
		return nil
	}
	return jobmon.FieldErrorf("granularity",
		"buckets of %s make %d in this window; at most %d are allowed here: choose a coarser granularity, a shorter window "+
			"or fewer templates", time.Duration(window.Bucket)*time.Microsecond, window.Count, most)
}

// cover returns the window that a request means at a given width of its buckets.
func cover(request Request, workflow store.WorkflowInfo, now, bucket int64) (concurrency.Window, error) {
	switch {
	case request.All:
		start, end := workflow.FirstAt, workflow.LastAt
		if start == 0 {
			start, end = now, now
		}
		if workflow.Active {
			end = now
		}
		return concurrency.Align(start, max(start, end)+1, bucket), nil
	case request.Last > 0:
		window := concurrency.Align(now, now+1, bucket)
		window.Count = int((request.Last.Microseconds() + bucket - 1) / bucket)
		window.Start -= int64(window.Count-1) * bucket
		return window, nil
	case request.End == nil && request.Start > now:
		return concurrency.Window{}, jobmon.FieldErrorf("start", "start lies in the future; give an end after it, or an earlier start")
	case request.End == nil:
		return concurrency.Align(request.Start, now+1, bucket), nil
	case *request.End <= request.Start:
		return concurrency.Window{}, jobmon.FieldErrorf("end", "end must be after start")
	default:
		return concurrency.Align(request.Start, *request.End, bucket), nil
	}
}
