package api

import (
	"bufio"
	"context"
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
	Zeros       bool          `query:"zeros"`
	Format      format        `query:"format"`
}

// taskConcurrency answers rows or columns.
func (s *server) taskConcurrency(ctx context.Context, request concurrencyRequest) (any, error) {
	asked, err := request.timeline()
	if err != nil {
		return nil, err
	}
	answer, err := s.Timeline.Concurrency(ctx, asked)
	if err != nil {
		return nil, err
	}
	for _, defect := range answer.Defects {
		s.Log.ErrorContext(ctx, "the audit is broken: more tasks left a status than had entered it",
			"workflow_id", request.WorkflowID, "task_template_name", answer.Templates[defect.Series],
			"at", time.UnixMicro(defect.At).UTC(), "level", defect.Level)
	}
	numbers := numbersOf(answer, request)
	if request.Format == formatColumns {
		return columnsOf(numbers, asked), nil
	}
	if numbers.bound() {
		return nil, jobmon.FieldErrorf("stat", "%s of these statuses in this window is an upper bound, which rows cannot say; "+
			"ask for format=columns, one status, PENDING or ACTIVE, or a shorter or later window", numbers.stat)
	}
	return rows{numbers, request.Zeros}, nil
}

// timeline says what is asked for with its defaults: the last day by the minute, of tasks in RUNNING.
func (request concurrencyRequest) timeline() (timeline.Request, error) {
	asked := timeline.Request{
		WorkflowID: request.WorkflowID, Templates: request.Templates, Bucket: request.Granularity.micros(),
		MaxPoints: int(request.MaxPoints),
		Statuses:  concurrency.Of(jobmon.TaskRunning),
	}
	if len(request.Statuses) > 0 {
		asked.Statuses = 0
		for _, union := range request.Statuses {
			asked.Statuses |= concurrency.StatusSet(union)
		}
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
	n, err := strconv.Atoi(string(text))
	if err != nil || n < 1 || n > timeline.MaxBuckets {
		return jobmon.FieldErrorf("max_points", "max_points must be a number from 1 to %d, not %q", timeline.MaxBuckets, excerpt(text))
	}
	*m = maxPoints(n)
	return nil
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
)

func (f *format) UnmarshalText(text []byte) error {
	return choose("format", []string{string(formatRows), string(formatColumns)}, text, (*string)(f))
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

// bound reports whether the series' numbers are upper bounds.
func (n numbers) bound() bool {
	return n.stat == statPeak && n.UpperBound.SeriesPeaks || n.stat == statEntered && n.UpperBound.Entered
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

func (r rows) stream(w *bufio.Writer) {
	names := make([]string, len(r.series))
	for i, series := range r.series {
		// A text can always be encoded.
		name, _ := encode(r.Templates[series])
		names[i] = strings.TrimSpace(string(name))
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
	_, _ = w.WriteString("]}\n")
}

// columns is the shape that the page reads.
type columns struct {
	WorkflowID int64               `json:"workflow_id"`
	Stat       stat                `json:"stat"`
	Statuses   []jobmon.TaskStatus `json:"statuses"`
	Window     columnsWindow       `json:"window"`
	Bucket     columnsBucket       `json:"bucket"`
	Series     []columnsSeries     `json:"series"`
	Other      *struct{}           `json:"other"`
	Total      columnsTotal        `json:"total"`
	Limits     []struct{}          `json:"limits"`
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
	TaskTemplateName string    `json:"task_template_name"`
	Values           []float64 `json:"values"`
	columnsSummary
}

type columnsTotal struct {
	Values []float64 `json:"values"`
	Peaks  []int64   `json:"peaks"`
	columnsSummary
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
		Total:       columnsTotal{n.all(n.Total), n.Total.Peak, summaryOf(n.Total, n.UpperBound.TotalPeaks)},
		Limits:      []struct{}{},
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
		answer.Series[i] = columnsSeries{n.Templates[series], n.all(counted), summaryOf(counted, n.UpperBound.SeriesPeaks)}
	}
	return answer
}

func summaryOf(s concurrency.Series, bound bool) columnsSummary {
	summary := columnsSummary{Peak: s.WindowPeak, PeakIs: exactnessOf(bound), TaskSeconds: s.TaskSeconds()}
	if s.WindowPeak > 0 && !bound {
		summary.PeakAt = (*instant)(&s.WindowPeakAt)
	}
	return summary
}
