package api

import (
	"context"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
)

type templateStatsAnswer struct {
	WorkflowID int64           `json:"workflow_id"`
	Templates  []templateStats `json:"templates"`
	// RunTimeError is how far a run time may be off, as a share of it.
	RunTimeError float64  `json:"run_time_error"`
	DataFrom     *instant `json:"data_from"`
	GeneratedAt  instant  `json:"generated_at"`
}

type templateStats struct {
	TaskTemplateName string           `json:"task_template_name"`
	Tasks            map[string]int64 `json:"tasks"` // by the letters of their statuses
	Attempts         int64            `json:"attempts"`
	Retries          *int64           `json:"retries"` // null, as Runs, where it is not known
	FailedAttempts   int64            `json:"failed_attempts"`
	Runs             *templateRuns    `json:"runs"`
}

type templateRuns struct {
	Count int64 `json:"count"`
	// Seconds is null when there was no run.
	Seconds *runTimes `json:"seconds"`
}

// runTimes are quantiles of how long runs took.
type runTimes struct {
	P10 float64 `json:"p10"`
	P25 float64 `json:"p25"`
	P50 float64 `json:"p50"`
	P75 float64 `json:"p75"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// templateStats answers what became of the tasks of each template of a workflow.
func (s *server) templateStats(ctx context.Context, request struct {
	WorkflowID int64 `path:"workflow_id"`
},
) (templateStatsAnswer, error) {
	found, err := s.Timeline.TemplateStats(ctx, request.WorkflowID)
	answer := templateStatsAnswer{
		WorkflowID: request.WorkflowID, Templates: make([]templateStats, len(found.Templates)),
		RunTimeError: concurrency.LengthError, DataFrom: known(found.DataFrom), GeneratedAt: instant(found.Now),
	}
	for i := range found.Templates {
		answer.Templates[i] = statsOf(&found.Templates[i], found.RunsLost)
	}
	return answer, err
}

func statsOf(of *timeline.TemplateStats, runsLost bool) templateStats {
	stats := templateStats{
		TaskTemplateName: of.Name, Tasks: tasksByStatus(of.Levels), Attempts: of.Attempts, FailedAttempts: of.Failures,
	}
	if !runsLost {
		stats.Retries = &of.Retries
		stats.Runs = &templateRuns{Count: of.Runs.Count()}
		if of.Runs.Count() > 0 {
			quantile := func(share float64) float64 {
				length, _ := of.Runs.Quantile(share)
				return seconds(length)
			}
			stats.Runs.Seconds = &runTimes{
				P10: quantile(0.1), P25: quantile(0.25), P50: quantile(0.5), P75: quantile(0.75),
				P90: quantile(0.9), P99: quantile(0.99), Max: quantile(1),
			}
		}
	}
	return stats
}

// tasksByStatus tells of every status, also of those in which no task is.
func tasksByStatus(levels map[jobmon.TaskStatus]int64) map[string]int64 {
	tasks := map[string]int64{}
	for _, status := range jobmon.TaskStatuses() {
		tasks[status.String()] = levels[status]
	}
	return tasks
}
