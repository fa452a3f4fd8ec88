package runlog

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// outcome is how an attempt ended, as Nextflow writes it.
type outcome string

const (
	completed outcome = "COMPLETED"
	failed    outcome = "FAILED"
	cached    outcome = "CACHED"
	aborted   outcome = "ABORTED"
)

var outcomes = []outcome{completed, failed, cached, aborted}

const (
	// absent is what Nextflow writes for a value that it does not know.
	absent = "-"
	// rounding is how much earlier than its predecessor's end a retry may seem to have been
	// submitted, in microseconds.
	rounding = int64(time.Second / time.Microsecond)
)

// lastInstant is the last that every database stores, and longest the longest duration that is not
// plainly damage.
var (
	lastInstant = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).UnixMicro()
	longest     = 100 * 365 * 24 * time.Hour
)

// attempt is one row of a trace. Instants are microseconds since the Unix epoch, UTC, and
// submit <= start <= end.
type attempt struct {
	line    int
	name    string
	outcome outcome
	submit  int64
	start   int64 // the end when it never ran
	end     int64
	ran     bool
}

// newAttempt reads the row at the given line; field returns the text in a column.
func newAttempt(line int, field func(column string) string) (attempt, error) {
	a := attempt{line: line, name: strings.Clone(field(columnName))}
	if err := checkName(a.name); err != nil {
		return attempt{}, damaged(line, columnName, "%v", err)
	}
	status := slices.Index(outcomes, outcome(field(columnStatus)))
	if status < 0 {
		return attempt{}, damaged(line, columnStatus, "%.40q is not a status; use one of %v", field(columnStatus), outcomes)
	}
	a.outcome = outcomes[status]
	var err error
	if a.submit, err = parseInstant(field(columnSubmit)); err != nil {
		return attempt{}, damaged(line, columnSubmit, "%v", err)
	}
	duration, hasDuration, err := parseDuration(field(columnDuration))
	if err != nil {
		return attempt{}, damaged(line, columnDuration, "%v", err)
	}
	realtime, hasRealtime, err := parseDuration(field(columnRealtime))
	if err != nil {
		return attempt{}, damaged(line, columnRealtime, "%v", err)
	}
	if !hasDuration && a.outcome != cached && (hasRealtime || a.outcome == completed) {
		return attempt{}, damaged(line, columnDuration, "missing, although the attempt ran; its end cannot be known")
	}

	a.end = a.submit + duration
	if a.end > lastInstant {
		return attempt{}, damaged(line, columnDuration, "the attempt would end after the year 9999")
	}
	a.ran = hasRealtime || a.outcome == completed
	a.start = max(a.submit, a.end-realtime)
	return a, nil
}

// retries reports whether a is the same task's next attempt after earlier, which was submitted
// before it or with it.
func (a attempt) retries(earlier attempt) bool {
	return earlier.outcome == failed && a.outcome != cached && a.submit >= earlier.end-rounding
}

// endBy moves the end of an attempt back to the given instant when it is later.
func (a *attempt) endBy(at int64) {
	a.end = min(a.end, at)
	a.start = min(a.start, a.end)
}

func checkName(name string) error {
	switch {
	case name == "" || name == absent || strings.HasPrefix(name, " "):
		return errors.New("a task needs a name that begins with its process")
	case utf8.RuneCountInString(name) > MaxNameRunes:
		return fmt.Errorf("the name is longer than %d characters", MaxNameRunes)
	}
	return nil
}

// parseInstant reads an instant in UTC.
func parseInstant(text string) (int64, error) {
	if isDigits(text) {
		millis, err := strconv.ParseInt(text, 10, 64)
		if err != nil || millis > lastInstant/1000 {
			return 0, fmt.Errorf("%.40q is after the year 9999; epoch milliseconds are wanted", text)
		}
		return millis * 1000, nil
	}
	instant, err := time.Parse(time.DateTime, text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("%.40q is not an instant; write it as 2022-05-13 03:02:26.406 (UTC) or in epoch milliseconds", text)
	case instant.Year() < 1970:
		return 0, fmt.Errorf("%.40q is before 1970", text)
	}
	return instant.UnixMicro(), nil
}

// parseDuration reads a duration into microseconds. known is false when there is none.
func parseDuration(text string) (micros int64, known bool, err error) {
	tooLong := func() error { return fmt.Errorf("%.40q is longer than 100 years", text) }
	switch {
	case text == absent:
		return 0, false, nil
	case strings.HasPrefix(text, "-"):
		return 0, false, fmt.Errorf("%.40q is negative", text)
	case isDigits(text):
		millis, err := strconv.ParseInt(text, 10, 64)
		if err != nil || millis > longest.Milliseconds() {
			return 0, false, tooLong()
		}
		return millis * 1000, true, nil
	}
	var total time.Duration
	parts := strings.Fields(text)
	for _, part := range parts {
		length, err := parseLength(part)
		if err != nil || length < 0 {
			parts = nil
			break
		}
		if total += min(length, longest+1); total > longest {
			return 0, false, tooLong()
		}
	}
	if len(parts) == 0 {
		return 0, false, fmt.Errorf("%.40q is not a duration; write it as 1d 2h 3m 4.5s, 66ms or in milliseconds", text)
	}
	return total.Microseconds(), true, nil
}

// parseLength reads one number with its unit. Go's own durations know no days.
func parseLength(part string) (time.Duration, error) {
	days, isDays := strings.CutSuffix(part, "d")
	if !isDays {
		return time.ParseDuration(part)
	}
	hours, err := time.ParseDuration(days + "h")
	return min(hours, longest/24+1) * 24, err
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
