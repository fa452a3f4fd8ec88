package api

import (
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
)

// columns is the shape that the page reads.
type columns struct {
	WorkflowID int64               `json:"workflow_id"`
	Stat       stat                `json:"stat"`
	Statuses   []jobmon.TaskStatus `json:"statuses"`
	Window     columnsWindow       `json:"window"`
	Bucket     columnsBucket       `json:"bucket"`
	Series     []columnsSeries     `json:"series"`
	Other      *columnsOther       `json:"other"`
	Total      columnsTotal        `json:"total"`
	Beside     []columnsBeside     `json:"beside"`
	Limits     []columnsLimit      `json:"limits"`
	// PartialFrom is the first instant of the bucket that is under way.
	PartialFrom *instant  `json:"partial_from"`
	GeneratedAt instant   `json:"generated_at"`
	ValuesAre   exactness `json:"values_are"` // those of the series
	Version     string    `json:"version"`
	RowsFrom    *instant  `json:"rows_from"`
	DataFrom    *instant  `json:"data_from"`
}

// exactness says whether numbers are exact.
type exactness string

func exactnessOf(bound bool) exactness {
	if bound {
		return "upper_bound"
	}
	return "exact"
}

type columnsWindow struct {
	Start instant `json:"start"`
	End   instant `json:"end"`
}

type columnsBucket struct {
	Seconds int64   `json:"seconds"`
	First   instant `json:"first"`
	Count   int     `json:"count"`
}

type columnsSeries struct {
	TaskTemplateName string            `json:"task_template_name"`
	Attempts         timeline.Attempts `json:"attempts,omitempty"` // those that it counts, when they are told apart
	Values           []float64         `json:"values"`
	columnsSummary
}

// columnsOther is all templates that are not among the series.
type columnsOther struct {
	Templates int       `json:"templates"`
	Values    []float64 `json:"values"`
	ValuesAre exactness `json:"values_are"`
	columnsSummary
}

// columnsLimit is a limit over the window, and for how long ACTIVE was at it.
type columnsLimit struct {
	Scope            string        `json:"scope"`
	TaskTemplateName *string       `json:"task_template_name"` // of an array
	Steps            []columnsStep `json:"steps"`
	// The three are null for an array whose tasks cannot be told from another's.
	AtLimitSeconds           *float64 `json:"at_limit_seconds"`
	AtLimitShare             *float64 `json:"at_limit_share"`
	AtLimitResolutionSeconds *float64 `json:"at_limit_resolution_seconds"`
}

type columnsStep struct {
	From instant `json:"from"`
	// MaxConcurrentlyRunning is null where there is no limit.
	MaxConcurrentlyRunning *int64 `json:"max_concurrently_running"`
}

type columnsTotal struct {
	Values []float64 `json:"values"`
	Peaks  []int64   `json:"peaks"`
	columnsSummary
}

// columnsBeside is the total in other statuses.
type columnsBeside struct {
	Statuses []jobmon.TaskStatus `json:"statuses"`
	columnsTotal
}

// columnsSummary is about the whole window, whatever the statistic.
type columnsSummary struct {
	Peak        int64     `json:"peak"`
	PeakAt      *instant  `json:"peak_at"`
	PeakIs      exactness `json:"peak_is"`
	TaskSeconds float64   `json:"task_seconds"`
}

func columnsOf(n numbers, asked timeline.Request) columns {
	answer := columns{
		WorkflowID: asked.WorkflowID,
		Stat:       n.stat,
		Statuses:   asked.Statuses.Statuses(),
		Window:     columnsWindow{instant(n.Window.Start), instant(n.Window.End())},
		Bucket: columnsBucket{
			n.Window.Bucket / time.Second.Microseconds(), instant(n.Window.Start), n.Window.Count,
		},
		Series:      make([]columnsSeries, len(n.series)),
		Total:       n.total(),
		Beside:      make([]columnsBeside, len(n.Beside)),
		Limits:      make([]columnsLimit, len(n.Limits)),
		GeneratedAt: instant(n.Now),
		ValuesAre:   exactnessOf(n.bound()),
		Version:     n.Version,
		RowsFrom:    known(n.RowsFrom),
		DataFrom:    known(n.DataFrom),
	}
	if start, partial := n.PartialFrom(); partial {
		answer.PartialFrom = new(instant(start))
	}
	for i, series := range n.series {
		counted := n.Answer.Series[series]
		answer.Series[i] = columnsSeries{
			n.Templates[series], n.attempts(series), n.all(counted), summaryOf(counted, n.peaksBound(series)),
		}
	}
	if other := n.Other; other != nil {
		answer.Other = &columnsOther{
			other.Templates, n.all(other.Series), exactnessOf(n.stat == statPeak && n.UpperBound.OtherPeaks || n.otherBound()),
			summaryOf(other.Series, n.UpperBound.OtherPeaks),
		}
	}
	for i, beside := range n.Beside {
		counted := numbers{Answer: beside, stat: n.stat}
		answer.Beside[i] = columnsBeside{asked.Beside[i].Statuses(), counted.total()}
	}
	for i, limit := range n.Limits {
		answer.Limits[i] = limitOf(limit)
	}
	return answer
}

func (n numbers) total() columnsTotal {
	return columnsTotal{n.all(n.Total), n.Total.Peak, summaryOf(n.Total, n.UpperBound.TotalPeaks)}
}

func limitOf(l timeline.Limit) columnsLimit {
	limit := columnsLimit{Scope: "workflow", Steps: make([]columnsStep, len(l.Steps))}
	if l.Template != "" {
		limit.Scope, limit.TaskTemplateName = "array", &l.Template
	}
	for i, step := range l.Steps {
		limit.Steps[i].From = instant(step.From)
		if step.Limit < jobmon.NoLimit {
			limit.Steps[i].MaxConcurrentlyRunning = &step.Limit
		}
	}
	if l.Known {
		share := 0.0
		if l.Elapsed > 0 {
			share = float64(l.AtLimit.Micros) / float64(l.Elapsed)
		}
		limit.AtLimitShare = &share
		limit.AtLimitSeconds = new(seconds(l.AtLimit.Micros))
		limit.AtLimitResolutionSeconds = new(seconds(l.AtLimit.Resolution))
	}
	return limit
}

func seconds(micros int64) float64 { return float64(micros) / 1e6 }

func summaryOf(s concurrency.Series, bound bool) columnsSummary {
	summary := columnsSummary{Peak: s.WindowPeak, PeakIs: exactnessOf(bound), TaskSeconds: s.TaskSeconds()}
	if s.WindowPeak > 0 && !bound {
		summary.PeakAt = (*instant)(&s.WindowPeakAt)
	}
	return summary
}
