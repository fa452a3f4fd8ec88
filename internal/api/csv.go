package api

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
)

// export answers a table with a row for each bucket.
func (s *server) export(ctx context.Context, request concurrencyRequest, asked timeline.Request) (any, error) {
	if request.Zeros {
		return nil, jobmon.FieldErrorf("zeros", "a table has all zeros; leave zeros out")
	}
	return &table{ctx, s.Timeline, asked, request}, nil
}

// table is RFC 4180, with lines before it that begin with # and say what it is.
type table struct {
	ctx     context.Context //nolint:containedctx // the answer is made while it is written, within the request
	line    *timeline.Timeline
	asked   timeline.Request
	request concurrencyRequest
}

func (t *table) header(h http.Header) {
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="tasktide-workflow-%d.csv"`, t.asked.WorkflowID))
}

func (t *table) stream(w *bufio.Writer) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	var limit []concurrency.Step
	var record []string
	begin := func(e timeline.Export) error {
		limit = e.Limit
		for _, comment := range t.comments(e) {
			if err := out.Write([]string{"# " + oneLine(comment)}); err != nil {
				return err
			}
		}
		record = append(record, "bucket_start")
		for _, name := range e.Templates {
			if !t.asked.Split {
				record = append(record, cell(name))
				continue
			}
			for _, attempts := range []timeline.Attempts{timeline.FirstAttempts, timeline.LaterAttempts} {
				record = append(record, cell(fmt.Sprintf("%s (%s attempts)", name, attempts)))
			}
		}
		if e.Other > 0 {
			record = append(record, fmt.Sprintf("other (%d templates)", e.Other))
		}
		return out.Write(append(record, "total", "total_peak", "limit"))
	}
	err := t.line.Export(t.ctx, t.asked, begin, func(part timeline.Answer) error {
		n := numbersOf(part, t.request)
		for i := range part.Window.Count {
			at := part.Window.BucketStart(i)
			record = append(record[:0], instant(at).String())
			for _, series := range part.Series {
				record = append(record, decimal(n.at(series, i)))
			}
			if part.Other != nil {
				record = append(record, decimal(n.at(part.Other.Series, i)))
			}
			record = append(record, decimal(n.at(part.Total, i)), strconv.FormatInt(part.Total.Peak[i], 10), limitAt(limit, at))
			if err := out.Write(record); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// comments say what the table holds.
func (t *table) comments(e timeline.Export) []string {
	var statuses []string
	for _, status := range t.asked.Statuses.Statuses() {
		statuses = append(statuses, status.Name())
	}
	templates := "all"
	if len(t.asked.Templates) > 0 {
		templates = fmt.Sprintf("%d, named below", len(e.Templates)+e.Other)
	}
	n := numbersOf(timeline.Answer{UpperBound: e.UpperBound}, t.request)
	comments := []string{
		fmt.Sprintf("workflow: %s (id %d)", e.Workflow.Name, e.Workflow.ID),
		fmt.Sprintf("window: %s to %s, end not included", instant(e.Window.Start), instant(e.Window.End())),
		fmt.Sprintf("bucket: %d s, each row at the start of its bucket; times are UTC", e.Window.Bucket/time.Second.Microseconds()),
		"statistic: " + map[stat]string{
			statStart:   "start, the tasks at the first instant of the bucket",
			statMean:    "mean, the time-weighted mean of the tasks in the bucket",
			statPeak:    "peak, the most tasks at any instant of the bucket",
			statEntered: "entered, how many tasks entered the status in the bucket",
		}[n.stat],
		"status: " + strings.Join(statuses, " + "),
		"templates: " + templates,
		"total: all these templates together; total_peak is the most at any instant of the bucket",
		"limit: max_concurrently_running of the workflow at the start of the bucket, for its ACTIVE tasks; empty where there is none",
		"version: " + e.Version,
		"generated: " + instant(e.Now).String(),
	}
	if _, partial := (concurrency.Result{Window: e.Window, Now: e.Now}).PartialFrom(); partial {
		comments = append(comments, "the bucket of that instant is partial, and those after it are zeros")
	}
	if n.bound() {
		comments = append(comments, "the templates' numbers are upper bounds")
		if !n.UpperBound.SeriesPeaks && !n.UpperBound.Entered {
			comments[len(comments)-1] = "the numbers of first attempts are upper bounds"
		}
	}
	if n.stat == statPeak && e.UpperBound.OtherPeaks {
		comments = append(comments, "the numbers of other are upper bounds")
	}
	if e.UpperBound.TotalPeaks {
		comments = append(comments, "the total's peaks are upper bounds")
	}
	return comments
}

func decimal(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// limitAt returns the limit that is in force at an instant, and nothing where there is none.
func limitAt(steps []concurrency.Step, at int64) string {
	limit := int64(jobmon.NoLimit)
	for _, step := range steps {
		if step.From > at {
			break
		}
		limit = step.Limit
	}
	if limit >= jobmon.NoLimit {
		return ""
	}
	return strconv.FormatInt(limit, 10)
}

// oneLine makes one line of a text.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

// cell keeps a spreadsheet from taking a text for a formula, which it would run.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
