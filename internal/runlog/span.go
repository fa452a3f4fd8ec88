package runlog

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// What stands for a start and an end that a log does not know. No row can name these instants.
const (
	beforeLog int64 = 0
	afterLog  int64 = math.MaxInt64
)

// span is one row of a CSV file: an attempt that runs in [start, end), in microseconds since the Unix
// epoch, UTC.
type span struct {
	task       string
	start, end int64
	line       int
	template   int32             // index of its name
	status     jobmon.TaskStatus // RUNNING when the end is not known, and 0 when the row does not tell
}

// newSpan reads the row at the given line, all but its template; field returns the text in a column.
func newSpan(line int, field func(column string) string) (span, error) {
	s := span{task: strings.Clone(field(columnTask)), line: line, start: beforeLog, end: afterLog}
	var err error
	if text := field(columnStart); text != "" {
		if s.start, err = parseZonedInstant(text); err != nil {
			return span{}, damaged(line, columnStart, "%v", err)
		}
	}
	if text := field(columnEnd); text != "" {
		if s.end, err = parseZonedInstant(text); err != nil {
			return span{}, damaged(line, columnEnd, "%v", err)
		}
	}
	if s.end < s.start {
		return span{}, damaged(line, columnEnd, "%.40q is before the start, %.40q", field(columnEnd), field(columnStart))
	}
	if s.status, err = parseEnding(field(columnStatus), s.end != afterLog); err != nil {
		return span{}, damaged(line, columnStatus, "%v", err)
	}
	return s, nil
}

// compareDone puts an attempt that was DONE after one that was not. Of those that took no time at one instant it must
// be the last, wherever it stands in the file.
func (s span) compareDone(other span) int {
	switch s, other := s.status == jobmon.TaskDone, other.status == jobmon.TaskDone; {
	case s == other:
		return 0
	case s:
		return 1
	default:
		return -1
	}
}

// parseEnding reads how an attempt ended that has an end, or has none.
func parseEnding(text string, ended bool) (jobmon.TaskStatus, error) {
	if text == "" {
		if ended {
			return 0, nil
		}
		return jobmon.TaskRunning, nil
	}
	status, err := jobmon.ParseTaskStatus(text)
	if err == nil {
		switch status {
		case jobmon.TaskRunning:
			if !ended {
				return status, nil
			}
			return 0, fmt.Errorf("%s, although the row has an end; take one of them away", status.Name())
		case jobmon.TaskDone, jobmon.TaskErrorRecoverable, jobmon.TaskErrorFatal:
			if ended {
				return status, nil
			}
			return 0, fmt.Errorf("%s, although the row has no end; add it, or leave the status empty if the task still ran",
				status.Name())
		}
	}
	return 0, fmt.Errorf("%.40q does not end a run; use D (DONE), E (ERROR_RECOVERABLE) or F (ERROR_FATAL), "+
		"and without an end R (RUNNING) or nothing", text)
}

// failed reports whether the row says that its attempt failed.
func (s span) failed() bool {
	return s.status == jobmon.TaskErrorRecoverable || s.status == jobmon.TaskErrorFatal
}

// parseZonedInstant reads an instant that means the same everywhere.
func parseZonedInstant(text string) (int64, error) {
	at, isEpoch := parseEpoch(text)
	if !isEpoch {
		instant, err := time.Parse(time.RFC3339, text)
		if err != nil {
			return 0, fmt.Errorf("%.40q is not an instant; write it with its zone, as 2022-05-13T03:02:26.406Z or "+
				"2022-05-13T05:02:26+02:00, or in epoch seconds", text)
		}
		at = instant.UnixMicro()
	}
	switch {
	case at <= 0:
		return 0, fmt.Errorf("%.40q is not after the beginning of 1970", text)
	case at > store.MaxInstant:
		return 0, fmt.Errorf("%.40q is after the year 9999; numbers are epoch seconds", text)
	}
	return at, nil
}

// parseEpoch reads seconds with or without a fraction. Too many are more than [store.MaxInstant].
func parseEpoch(text string) (at int64, isEpoch bool) {
	whole, fraction, hasFraction := strings.Cut(text, ".")
	if !isDigits(whole) || hasFraction && !isDigits(fraction) {
		return 0, false
	}
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds > store.MaxInstant/1e6 {
		return math.MaxInt64, true
	}
	micros, err := strconv.ParseInt((fraction + "000000")[:6], 10, 64)
	return seconds*1e6 + micros, err == nil
}
