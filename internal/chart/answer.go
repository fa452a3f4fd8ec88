// Package chart turns the API's columnar answer into what the terminal's chart and the picture draw: the stack
// of templates from its bottom to its top, their colours and patterns, the peaks, the limits and the axes. It draws nothing itself.
// Where the web page shows the same, the order, the colours and the numbers are the page's.
package chart

import (
	"fmt"
	"time"
)

// Answer is what /api/v2/workflow/ID/task_concurrency returns with format=columns, as far as charts and tables
// need it.
type Answer struct {
	WorkflowID  int64      `json:"workflow_id"`
	Stat        string     `json:"stat"`     // start, mean, peak or entered
	Statuses    []string   `json:"statuses"` // their letters
	Window      Window     `json:"window"`
	Bucket      Bucket     `json:"bucket"`
	Series      []Series   `json:"series"`
	Other       *Other     `json:"other"` // nil when each template has its own series
	Total       Total      `json:"total"`
	Limits      []Limit    `json:"limits"`
	PartialFrom *time.Time `json:"partial_from"` // start of the bucket that contains GeneratedAt, nil when none does
	GeneratedAt time.Time  `json:"generated_at"`
	ValuesAre   string     `json:"values_are"` // exact or upper_bound
}

// Window is half-open: End does not belong to it.
type Window struct {
	Start time.Time `json:"start"`
	End   time.Time `json:"end"`
}

// Bucket is the width of the buckets, the start of the first and how many there are.
type Bucket struct {
	Seconds int64     `json:"seconds"`
	First   time.Time `json:"first"`
	Count   int       `json:"count"`
}

// Summary is about the whole window, whatever the statistic.
type Summary struct {
	Peak        int64      `json:"peak"`
	PeakAt      *time.Time `json:"peak_at"` // nil without a peak, and for an upper bound
	PeakIs      string     `json:"peak_is"` // exact or upper_bound
	TaskSeconds float64    `json:"task_seconds"`
}

// Exact reports whether the peak is a peak and not an upper bound.
func (s Summary) Exact() bool { return s.PeakIs != "upper_bound" }

// Series is one number a bucket for a template.
type Series struct {
	TaskTemplateName string    `json:"task_template_name"`
	Attempts         string    `json:"attempts"` // first or later where they are split, else ""
	Values           []float64 `json:"values"`
	Summary
}

// Name is the template's name, and which of its attempts are counted when those after the first are.
func (s Series) Name() string {
	if s.Attempts == "later" {
		return s.TaskTemplateName + " (later attempts)"
	}
	return s.TaskTemplateName
}

// Other is every template without a series of its own.
type Other struct {
	Templates int       `json:"templates"`
	Values    []float64 `json:"values"`
	Summary
}

// Total is all templates together. Peaks holds the largest number at any instant of each bucket.
type Total struct {
	Values []float64 `json:"values"`
	Peaks  []int64   `json:"peaks"`
	Summary
}

// Limit is max_concurrently_running of the workflow or of a template's array over the window.
type Limit struct {
	Scope            string      `json:"scope"` // workflow or array
	TaskTemplateName *string     `json:"task_template_name"`
	Steps            []LimitStep `json:"steps"`
	AtLimitSeconds   *float64    `json:"at_limit_seconds"`
	AtLimitShare     *float64    `json:"at_limit_share"`
	AtLimitWidth     *float64    `json:"at_limit_resolution_seconds"` // 0 where AtLimitSeconds is exact; else it is no more
}

// LimitStep is a limit from an instant on; nil means no limit.
type LimitStep struct {
	From  time.Time `json:"from"`
	Limit *int64    `json:"max_concurrently_running"`
}

// Check returns an error when the numbers of an answer do not belong to its buckets.
func (a Answer) Check() error {
	n := a.Bucket.Count
	if n < 0 || a.Bucket.Seconds <= 0 || len(a.Total.Values) != n || len(a.Total.Peaks) != n {
		return fmt.Errorf("%d buckets of %d s have %d and %d numbers", n, a.Bucket.Seconds, len(a.Total.Values), len(a.Total.Peaks))
	}
	for _, series := range a.Series {
		if len(series.Values) != n {
			return fmt.Errorf("%d buckets have %d numbers of %q", n, len(series.Values), series.TaskTemplateName)
		}
	}
	if a.Other != nil && len(a.Other.Values) != n {
		return fmt.Errorf("%d buckets have %d numbers of the other templates", n, len(a.Other.Values))
	}
	return nil
}
