package api

import (
	"bufio"
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tasktide/internal/concurrency"
	"tasktide/internal/jobmon"
	"tasktide/internal/timeline"
)

type concurrencyRequest struct {
	WorkflowID  int64         `path:"workflow_id"`
	TimeRange   timeRange     `query:"time_range"`
	Start       *instant      `query:"start"`
	End         *instant      `query:"end"`
	Granularity granularity   `query:"granularity"`
	MaxPoints   maxPoints     `query:"max_points"`
	Stat        stat          `query:"stat"`
	Statuses    []statusUnion `query:"status"`
	Templates   []string      `query:"task_template_name"`
	Top         top           `query:"top"`
	Split       split         `query:"split"`
	Beside      []statusUnion `query:"beside"`
	Zeros       bool          `query:"zeros"`
	Format      format        `query:"format"`
}

// taskConcurrency answers rows or columns.
func (s *server) taskConcurrency(ctx context.Context, request concurrencyRequest) (any, error) {
	asked, err := request.timeline()
	if err != nil {
		return nil, err
	}
	if request.Format == formatCSV {
		return s.export(ctx, request, asked)
	}
	if request.Format == formatColumns {
		return shared{s.Timeline, asked, "columns " + string(cmp.Or(request.Stat, statStart)), func(answer timeline.Answer) any {
			s.tellDefects(ctx, answer, request.WorkflowID)
			return columnsOf(numbersOf(answer, request), asked)
		}}, nil
	}
	answer, err := s.Timeline.Concurrency(ctx, asked)
	if err != nil {
		return nil, err
	}
	s.tellDefects(ctx, answer, request.WorkflowID)
	numbers := numbersOf(answer, request)
	if numbers.bound() {
		return nil, jobmon.FieldErrorf("stat", "%s of these statuses in this window is an upper bound, which rows cannot say; "+
			"ask for format=columns, one status, PENDING or ACTIVE, or a shorter or later window", numbers.stat)
	}
	return rows{numbers, request.Zeros}, nil
}

func (s *server) tellDefects(ctx context.Context, answer timeline.Answer, workflowID int64) {
	for _, beside := range answer.Beside {
		s.tellDefects(ctx, beside, workflowID)
	}
	for _, defect := range answer.Defects {
		name := "(other)"
		if defect.Series < len(answer.Templates) {
			name = answer.Templates[defect.Series]
		}
		s.Log.ErrorContext(ctx, "the audit is broken: more tasks left a status than had entered it",
			"workflow_id", workflowID, "task_template_name", name,
			"at", time.UnixMicro(defect.At).UTC(), "level", defect.Level)
	}
}

// timeline says what is asked for with its defaults: the last day by the minute, of tasks in RUNNING.
func (request concurrencyRequest) timeline() (timeline.Request, error) {
	asked := timeline.Request{
		WorkflowID: request.WorkflowID, Templates: request.Templates, Bucket: request.Granularity.micros(),
		MaxPoints: int(request.MaxPoints),
		Statuses:  union(request.Statuses),
		Split:     request.Split == splitAttempt,
	}
	if len(request.Beside) > 0 {
		if request.Format != formatColumns || len(request.Beside) > maxBeside {
			return asked, jobmon.FieldErrorf("beside", "beside goes with format=columns, and %d times at most", maxBeside)
		}
		for _, statuses := range request.Beside {
			asked.Beside = append(asked.Beside, concurrency.StatusSet(statuses))
		}
	}
	switch {
	case request.Format == formatColumns:
		asked.Top, asked.Limits = cmp.Or(int(request.Top), defaultTop), true
	case request.Format == formatCSV:
		asked.Top = int(request.Top)
	case request.Top != 0:
		return asked, jobmon.FieldErrorf("top", "rows tell of every template; ask for format=columns or csv, or leave top out")
	}
	switch {
	case request.Start == nil && request.End == nil:
		asked.All = request.TimeRange == rangeAll
		asked.Last = request.TimeRange.duration()
	case request.TimeRange != "":
		return asked, jobmon.FieldErrorf("time_range", "give either time_range, or start and end, but not both")
	case request.Start == nil:
		return asked, jobmon.FieldErrorf("start", "give a start for the end")
	default:
		asked.Start, asked.End = int64(*request.Start), (*int64)(request.End)
	}
	return asked, nil
}

// maxPoints is how many buckets may be chosen.
type maxPoints int

func (m *maxPoints) UnmarshalText(text []byte) error {
	return upTo("max_points", timeline.MaxBuckets, text, (*int)(m))
}

// top is how many templates are told apart in columns.
type top int

const (
	defaultTop = 50
	maxTop     = 1000
	maxBeside  = 4
)

func (t *top) UnmarshalText(text []byte) error {
	return upTo("top", maxTop, text, (*int)(t))
}

// split is what the series of a template are split by.
type split string

const splitAttempt split = "attempt"

func (s *split) UnmarshalText(text []byte) error {
	return choose("split", []string{string(splitAttempt)}, text, (*string)(s))
}

// timeRange is a window that ends now, or the whole life of a workflow.
type timeRange string

const rangeAll timeRange = "all"

var timeRanges = []string{"1h", "6h", "24h", "7d", "30d", string(rangeAll)}

func (t *timeRange) UnmarshalText(text []byte) error {
	return choose("time_range", timeRanges, text, (*string)(t))
}

func (t timeRange) duration() time.Duration {
	const day = 24 * time.Hour
	switch t {
	case "1h":
		return time.Hour
	case "6h":
		return 6 * time.Hour
	case "7d":
		return 7 * day
	case "30d":
		return 30 * day
	case rangeAll:
		return 0
	default:
		return day
	}
}

// granularity is the width of a bucket.
type granularity string

const (
	granularityAuto   granularity = "auto"
	granularityMinute granularity = "minute"
)

var granularities = []string{
	string(granularityMinute), "1s", "5s", "10s", "30s", "1m", "5m", "10m", "30m", "1h", "6h", "1d", string(granularityAuto),
}

func (g *granularity) UnmarshalText(text []byte) error {
	return choose("granularity", granularities, text, (*string)(g))
}

// micros returns the width in microseconds, 0 when it is to be chosen.
func (g granularity) micros() int64 {
	switch g {
	case granularityAuto:
		return 0
	case "", granularityMinute:
		return time.Minute.Microseconds()
	case "1d":
		return (24 * time.Hour).Microseconds()
	default:
		// The others are written as Go writes them.
		width, _ := time.ParseDuration(string(g))
		return width.Microseconds()
	}
}

// stat is which number of a bucket is asked for.
type stat string

const (
	statStart   stat = "start"
	statMean    stat = "mean"
	statPeak    stat = "peak"
	statEntered stat = "entered"
)

var stats = []string{string(statStart), string(statMean), string(statPeak), string(statEntered)}

func (s *stat) UnmarshalText(text []byte) error { return choose("stat", stats, text, (*string)(s)) }

// format is the shape of the answer.
type format string

const (
	formatRows    format = "rows"
	formatColumns format = "columns"
	formatCSV     format = "csv"
)

func (f *format) UnmarshalText(text []byte) error {
	return choose("format", []string{string(formatRows), string(formatColumns), string(formatCSV)}, text, (*string)(f))
}

// upTo reads a number from 1 on.
func upTo(name string, most int, text []byte, number *int) error {
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > most {
		return jobmon.FieldErrorf(name, "%s must be a whole number from 1 to %d, not %q", name, most, excerpt(text))
	}
	*number = n
	return nil
}

func choose(name string, allowed []string, text []byte, chosen *string) error {
	if !slices.Contains(allowed, string(text)) {
		return jobmon.FieldErrorf(name, "%s must be one of %s, not %q", name, strings.Join(allowed, ", "), excerpt(text))
	}
	*chosen = string(text)
	return nil
}

// statusUnion is a status, or a union of statuses that has a name.
type statusUnion concurrency.StatusSet

func (u *statusUnion) UnmarshalText(text []byte) error {
	switch name := strings.ToUpper(string(text)); name {
	case "PENDING":
		*u = statusUnion(concurrency.Pending)
	case "ACTIVE":
		*u = statusUnion(concurrency.Active)
	default:
		status, err := jobmon.ParseTaskStatus(string(text))
		if err != nil {
			return jobmon.Errorf(jobmon.CodeInvalid, "%w, PENDING (Q and I) or ACTIVE (Q, I, O and R)", err)
		}
		*u = statusUnion(concurrency.Of(status))
	}
	return nil
}

// union returns the statuses that are asked for: RUNNING when none is.
func union(asked []statusUnion) concurrency.StatusSet {
	if len(asked) == 0 {
		return concurrency.Of(jobmon.TaskRunning)
	}
	var set concurrency.StatusSet
	for _, one := range asked {
		set |= concurrency.StatusSet(one)
	}
	return set
}

// numbers is an answer of the timeline, read through one statistic.
type numbers struct {
	timeline.Answer
	stat   stat
	series []int // those to show
}

func numbersOf(answer timeline.Answer, request concurrencyRequest) numbers {
	n := numbers{Answer: answer, stat: request.Stat}
	if n.stat == "" {
		n.stat = statStart
	}
	for i, series := range answer.Series {
		// Templates that did nothing would bury those that did, unless somebody asks for them.
		if len(request.Templates) > 0 || !idle(series) {
			n.series = append(n.series, i)
		}
	}
	return n
}

func idle(s concurrency.Series) bool {
	some := func(values []int64) bool { return slices.ContainsFunc(values, func(v int64) bool { return v != 0 }) }
	return !some(s.Peak) && !some(s.Entered) && !some(s.Area)
}

// at returns the number of bucket i: a mean in hundredths is at most 2^53, so that nothing is lost.
func (n numbers) at(s concurrency.Series, i int) float64 {
	switch n.stat {
	case statMean:
		return float64(n.MeanHundredths(s, i)) / 100
	case statPeak:
		return float64(s.Peak[i])
	case statEntered:
		return float64(s.Entered[i])
	default:
		return float64(s.Start[i])
	}
}

// bound reports whether the numbers of some series are upper bounds.
func (n numbers) bound() bool {
	return n.stat == statPeak && (n.UpperBound.SeriesPeaks || n.UpperBound.FirstPeaks) || n.otherBound()
}

// otherBound reports whether all numbers are, peaks apart.
func (n numbers) otherBound() bool { return n.stat == statEntered && n.UpperBound.Entered }

// peaksBound reports whether the peaks of a series are.
func (n numbers) peaksBound(series int) bool {
	return n.UpperBound.SeriesPeaks || n.UpperBound.FirstPeaks && n.attempts(series) == timeline.FirstAttempts
}

// attempts says which attempts a series counts, and nothing when it is all.
func (n numbers) attempts(series int) timeline.Attempts {
	if n.Attempts == nil {
		return ""
	}
	return n.Answer.Attempts[series]
}

func (n numbers) all(s concurrency.Series) []float64 {
	values := make([]float64, n.Window.Count)
	for i := range values {
		values[i] = n.at(s, i)
	}
	return values
}

// rows is one object a bucket and template.
type rows struct {
	numbers
	zeros bool
}

func (r rows) header(h http.Header) { h.Set("Content-Type", "application/json") }

func (r rows) stream(w *bufio.Writer) error {
	names := make([]string, len(r.series))
	for i, series := range r.series {
		// A text can always be encoded.
		name, _ := encode(r.Templates[series])
		names[i] = strings.TrimSpace(string(name))
		if attempts := r.attempts(series); attempts != "" {
			names[i] += `,"attempts":"` + string(attempts) + `"`
		}
	}
	// Errors stay in w until it is flushed; a write after one costs nothing.
	_, _ = w.WriteString(`{"data":[`)
	separator := ""
	var number []byte
	for bucket := range r.Window.Count {
		timestamp := instant(r.Window.BucketStart(bucket)).String()
		for i, series := range r.series {
			value := r.at(r.Series[series], bucket)
			if value == 0 && !r.zeros {
				continue
			}
			number = strconv.AppendFloat(number[:0], value, 'f', -1, 64)
			for _, part := range [...]string{
				separator, `{"timestamp":"`, timestamp, `","task_template_name":`, names[i], `,"concurrent_count":`,
			} {
				_, _ = w.WriteString(part)
			}
			_, _ = w.Write(number)
			_ = w.WriteByte('}')
			separator = ","
		}
	}
	_, err := w.WriteString("]}\n")
	return err
}
