package chart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Band is one layer of the stack.
type Band struct {
	Name   string
	Values []float64 // one a bucket
	Mark   Mark
	Summary
	Share float64 // of the task-seconds of all templates, 0 to 1
}

// Chart is an answer as it is drawn. Times are microseconds since the Unix epoch; buckets are half-open.
type Chart struct {
	Answer

	Start       int64 // of the first bucket
	BucketWidth int64
	Count       int
	End         int64 // of the drawing: of the last bucket, or now where that is not over

	Bands  []Band    // from the bottom of the stack to its top
	Sums   []float64 // of the bands, one a bucket
	Peaks  []int64   // of the total, one a bucket; nil where the statistic is no number of tasks at an instant
	Legend []Band    // from the top of the stack to its bottom, Other last

	Limit      []LimitStep // of the workflow; nil where there is none, or where it does not bound what is counted
	LimitAbove bool        // whether it is so far above the rest that it is not drawn
	Highest    float64     // the largest number that is drawn
}

// New returns the chart of an answer. Names are those of all the workflow's templates: they decide about the colours.
//
// Peaks of templates do not add up, because they are reached at different instants. With that statistic there is one
// band: the peak of the total.
func New(answer Answer, names []string, theme Theme) Chart {
	c := Chart{
		Answer: answer, Start: answer.Bucket.First.UnixMicro(), BucketWidth: answer.Bucket.Seconds * 1e6, Count: answer.Bucket.Count,
		Peaks: answer.Total.Peaks, Sums: make([]float64, answer.Bucket.Count),
	}
	c.End = c.Start + c.Whole()
	if answer.PartialFrom != nil {
		c.End = answer.GeneratedAt.UnixMicro()
	}
	c.Legend = legend(answer, names, theme)
	c.Bands = slices.Clone(c.Legend)
	slices.Reverse(c.Bands)
	switch answer.Stat {
	case "peak":
		c.Bands = []Band{{
			Name: "total", Values: answer.Total.Values, Mark: otherMark(theme), Summary: answer.Total.Summary, Share: 1,
		}}
		c.Bands[0].Mark.Pattern = "solid"
	case "entered":
		c.Peaks = nil
	}
	for _, band := range c.Bands {
		for i, value := range band.Values {
			c.Sums[i] += value
		}
	}
	for i, sum := range c.Sums {
		c.Highest = max(c.Highest, sum)
		if c.Peaks != nil {
			c.Highest = max(c.Highest, float64(c.Peaks[i]))
		}
	}
	c.addLimit()
	return c
}

// legend returns the templates, the one with most task-seconds first, and then the rest together.
func legend(answer Answer, names []string, theme Theme) []Band {
	share := func(s Summary) float64 {
		if answer.Total.TaskSeconds == 0 {
			return 0
		}
		return s.TaskSeconds / answer.Total.TaskSeconds
	}
	marked := marks(answer, names, theme)
	bands := make([]Band, 0, len(answer.Series)+1)
	for _, s := range answer.Series {
		bands = append(bands, Band{s.Name(), s.Values, marked[s.Name()], s.Summary, share(s.Summary)})
	}
	slices.SortStableFunc(bands, func(a, b Band) int {
		return cmp.Or(-cmp.Compare(a.TaskSeconds, b.TaskSeconds), cmp.Compare(a.Name, b.Name))
	})
	if other := answer.Other; other != nil {
		bands = append(bands, Band{OtherName(other.Templates), other.Values, otherMark(theme), other.Summary, share(other.Summary)})
	}
	return bands
}

// OtherName is what templates without a series of their own are called together.
func OtherName(templates int) string {
	if templates == 1 {
		return "Other (1 template)"
	}
	return fmt.Sprintf("Other (%d templates)", templates)
}

// limited are the statuses, by their letters, whose tasks the limit bounds; the page draws it for these.
var limited = []string{"R", "QI", "QIOR"}

// farAbove is how many times as high as the rest a limit may be that is drawn.
const farAbove = 2.5

func (c *Chart) addLimit() {
	letters := strings.Join(c.Statuses, "")
	if c.Stat == "entered" || !slices.Contains(limited, letters) {
		return
	}
	for _, limit := range c.Limits {
		if limit.Scope != "workflow" {
			continue
		}
		highest := 0.0
		for _, step := range limit.Steps {
			if step.Limit != nil {
				highest = max(highest, float64(*step.Limit))
				c.Limit = limit.Steps
			}
		}
		c.LimitAbove = highest > farAbove*max(1, c.Highest)
		if !c.LimitAbove {
			c.Highest = max(c.Highest, highest)
		}
		return
	}
}

// LimitAt returns the limit at an instant, nil where there is none.
func (c Chart) LimitAt(at int64) *int64 {
	var limit *int64
	for _, step := range c.Limit {
		if step.From.UnixMicro() > at {
			break
		}
		limit = step.Limit
	}
	return limit
}

// LastLimit returns the limit at the window's end, nil where there is none.
func (c Chart) LastLimit() *int64 {
	if len(c.Limit) == 0 {
		return nil
	}
	return c.Limit[len(c.Limit)-1].Limit
}

// Column is what a column of a drawing shows: the bucket with the largest sum among those that it covers, and the
// highest peak of the total among all of these.
type Column struct {
	Bucket int // -1 where nothing has happened yet
	Peak   int64
	HasMax bool // whether the peak of the window is in it
}

// Whole is the length of the window in microseconds.
func (c Chart) Whole() int64 { return c.BucketWidth * int64(c.Count) }

// Columns returns what each of so many columns of one width shows. Together they cover the window, and each bucket is in
// one of them at least, so that no peak is lost, however few there are.
func (c Chart) Columns(n int) []Column {
	columns := make([]Column, n)
	whole := c.BucketWidth * int64(c.Count)
	for x := range columns {
		columns[x].Bucket = -1
		from := c.Start + whole*int64(x)/int64(n)
		to := min(c.Start+whole*int64(x+1)/int64(n), c.End)
		if to <= from {
			continue
		}
		first, last := int((from-c.Start)/c.BucketWidth), int((to-1-c.Start)/c.BucketWidth)
		for i := first; i <= last && i < c.Count; i++ {
			if best := columns[x].Bucket; best < 0 || c.Sums[i] > c.Sums[best] {
				columns[x].Bucket = i
			}
			if c.Peaks != nil {
				columns[x].Peak = max(columns[x].Peak, c.Peaks[i])
			}
		}
		if at := c.Total.PeakAt; at != nil {
			columns[x].HasMax = at.UnixMicro() >= from && at.UnixMicro() < c.Start+whole*int64(x+1)/int64(n)
		}
	}
	return columns
}

// Empty reports whether nothing was counted in the window.
func (c Chart) Empty() bool { return c.Highest == 0 || c.Total.Peak == 0 && c.Stat != "entered" }

// Time returns an instant of the chart as a time in UTC.
func Time(micros int64) time.Time { return time.UnixMicro(micros).UTC() }
