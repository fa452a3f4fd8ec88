package runlog

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"tasktide/internal/jobmon"
)

// The bounds of a trace. What exceeds them is refused rather than cut short.
const (
	MaxNextflowRows      = 5_000_000 // rows after the header
	MaxNextflowLineBytes = 1 << 20   // bytes of one line, its end included
	MaxNextflowNameRunes = 255       // characters of a task's name
)

// The columns that a trace must have. Others are ignored.
const (
	columnName     = "name"
	columnStatus   = "status"
	columnSubmit   = "submit"
	columnDuration = "duration"
	columnRealtime = "realtime"
)

var requiredColumns = []string{columnName, columnStatus, columnSubmit, columnDuration, columnRealtime}

// ParseNextflow reads a Nextflow execution trace: tab-separated, with a header that names at least
// the columns name, status, submit, duration and realtime, in any order. Instants are read as UTC,
// either written out or in epoch milliseconds; durations as written for people ("1m 2s") or in
// milliseconds.
//
// A row is one attempt at a task, whose template is its process: the name up to " (tag)". It is
// QUEUED at submit, INSTANTIATED, LAUNCHED and RUNNING at complete - realtime but not before submit,
// and ends at complete = submit + duration, DONE or, after ERROR_RECOVERABLE, REGISTERING when a
// later row of the same name tries again and ERROR_FATAL when none does. The first row of a task
// enters REGISTERING at its submit.
//
//   - Durations are rounded, so a retry may seem to begin up to a second before the attempt that it
//     follows had ended; that attempt then ends at the retry's submit. A row that was submitted
//     earlier still is another task with the same name: tags need not be unique.
//   - An attempt without a realtime never ran: it fails out of INSTANTIATING, where it also ended,
//     and when its duration is missing too it ended at its submit. A COMPLETED one ran, for a time
//     too short to have been noted.
//   - CACHED tasks go from REGISTERING to DONE at their submit and count no attempt.
//
// Every history passes [jobmon.TaskHistory.Check]. A trace that cannot be read is CodeInvalid, one
// that exceeds a bound CodeTooLarge, with the line and, where there is one, the column in the
// message; a failure of r is returned as it is. With an error, the Run is empty.
func ParseNextflow(r io.Reader) (Run, error) {
	return parseNextflow(r, MaxNextflowRows)
}

func parseNextflow(r io.Reader, maxRows int) (Run, error) {
	attempts, err := readTrace(r, maxRows)
	if err != nil {
		return Run{}, err
	}
	return Run{Engine: "nextflow", Tasks: joinAttempts(attempts)}, nil
}

// readTrace returns the attempts of a trace in the order of its rows.
func readTrace(r io.Reader, maxRows int) ([]attempt, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxNextflowLineBytes)
	var (
		head     *header
		attempts []attempt
		number   int
	)
	for lines.Scan() {
		number++
		line := lines.Text()
		switch {
		case head == nil:
			var err error
			if head, err = parseHeader(strings.TrimPrefix(line, "\ufeff")); err != nil {
				return nil, err
			}
		case line == "":
		case len(attempts) == maxRows:
			return nil, jobmon.Errorf(jobmon.CodeTooLarge,
				"line %d: a trace may have at most %d rows; split the run", number, maxRows)
		default:
			attempt, err := head.parseRow(number, line)
			if err != nil {
				return nil, err
			}
			attempts = append(attempts, attempt)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, jobmon.Errorf(jobmon.CodeTooLarge,
			"line %d is longer than %d bytes; this is no Nextflow trace", number+1, MaxNextflowLineBytes)
	case err != nil:
		return nil, fmt.Errorf("reading after line %d of the trace: %w", number, err)
	case head == nil:
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "the file is empty; a Nextflow trace begins with its column names")
	case len(attempts) == 0:
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "the trace has column names but no tasks")
	}
	return attempts, nil
}

// header says which column stands where.
type header struct {
	columns  []string
	position map[string]int
}

func parseHeader(line string) (*header, error) {
	if err := checkText(1, line, nil); err != nil {
		return nil, err
	}
	head := &header{columns: strings.Split(line, "\t"), position: map[string]int{}}
	for i, column := range head.columns {
		column = strings.TrimSpace(column)
		head.columns[i] = column
		if _, twice := head.position[column]; twice && slices.Contains(requiredColumns, column) {
			return nil, damaged(1, column, "the column is there twice")
		}
		head.position[column] = i
	}
	for _, column := range requiredColumns {
		if _, known := head.position[column]; !known {
			return nil, damaged(1, column, "no such column; a Nextflow trace is tab-separated and names %s",
				strings.Join(requiredColumns, ", "))
		}
	}
	return head, nil
}

func (h *header) parseRow(number int, line string) (attempt, error) {
	if err := checkText(number, line, h.columns); err != nil {
		return attempt{}, err
	}
	fields := strings.Split(line, "\t")
	if len(fields) < len(h.columns) {
		return attempt{}, damaged(number, h.columns[len(fields)],
			"missing; the line has %d fields and the header %d", len(fields), len(h.columns))
	}
	if len(fields) > len(h.columns) {
		return attempt{}, jobmon.Errorf(jobmon.CodeInvalid,
			"line %d has %d fields and the header only %d", number, len(fields), len(h.columns))
	}
	return newAttempt(number, func(column string) string { return fields[h.position[column]] })
}

// checkText refuses what no database stores as text.
func checkText(number int, line string, columns []string) error {
	if !strings.ContainsRune(line, 0) && utf8.ValidString(line) {
		return nil
	}
	for i, field := range strings.Split(line, "\t") {
		var reason string
		switch {
		case strings.ContainsRune(field, 0):
			reason = "holds a NUL byte; save the file as UTF-8 text"
		case !utf8.ValidString(field):
			reason = "is not UTF-8; save the file as UTF-8 text"
		default:
			continue
		}
		column := fmt.Sprintf("#%d", i+1)
		if i < len(columns) {
			column = columns[i]
		}
		return damaged(number, column, "%s", reason)
	}
	return nil
}

// damaged returns the error of a value that cannot be read.
func damaged(line int, column, format string, args ...any) error {
	return jobmon.Errorf(jobmon.CodeInvalid, "line %d, column %.40q: %s", line, column, fmt.Sprintf(format, args...))
}

// joinAttempts joins attempts into tasks, in the order in which the tasks first appear.
func joinAttempts(attempts []attempt) []jobmon.TaskHistory {
	// Rows are written as attempts complete, so a retry can stand before the row it repeats.
	slices.SortStableFunc(attempts, func(a, b attempt) int { return cmp.Compare(a.submit, b.submit) })

	lives := make([]life, 0, len(attempts))
	latest := make(map[string]int, len(attempts)) // by name, the life that its next row may continue
	for _, next := range attempts {
		if i, known := latest[next.name]; known && next.retries(lives[i].last) {
			lives[i].retry(next)
			continue
		}
		latest[next.name] = len(lives)
		lives = append(lives, newLife(next))
	}

	slices.SortFunc(lives, func(a, b life) int { return cmp.Compare(a.firstLine, b.firstLine) })
	tasks := make([]jobmon.TaskHistory, len(lives))
	for i := range lives {
		tasks[i] = lives[i].finish()
	}
	return tasks
}

// life is a task up to its last known attempt, whose end is not recorded yet: it depends on whether
// another follows.
type life struct {
	firstLine int
	task      jobmon.TaskHistory
	last      attempt
}

func newLife(first attempt) life {
	process, _, _ := strings.Cut(first.name, " (")
	return life{
		firstLine: first.line,
		task: jobmon.TaskHistory{
			Name:     first.name,
			Template: process,
			Moves:    []jobmon.Move{{To: jobmon.TaskRegistering, At: first.submit}},
		},
		last: first,
	}
}

func (l *life) retry(next attempt) {
	l.last.endBy(next.submit)
	l.record(jobmon.TaskRegistering)
	l.firstLine = min(l.firstLine, next.line)
	l.last = next
}

func (l *life) finish() jobmon.TaskHistory {
	l.record(jobmon.TaskErrorFatal)
	return l.task
}

// record appends the last attempt's moves; failed is where the task goes when the attempt failed.
func (l *life) record(failed jobmon.TaskStatus) {
	enter := func(at int64, statuses ...jobmon.TaskStatus) {
		for _, status := range statuses {
			l.task.Moves = append(l.task.Moves, jobmon.Move{To: status, At: at})
		}
	}
	a := l.last
	if a.outcome == cached {
		enter(a.submit, jobmon.TaskDone)
		return
	}
	l.task.Attempts++
	enter(a.submit, jobmon.TaskQueued)
	enter(a.start, jobmon.TaskInstantiating)
	if a.ran {
		enter(a.start, jobmon.TaskLaunched, jobmon.TaskRunning)
	}
	if a.outcome == completed {
		enter(a.end, jobmon.TaskDone)
		return
	}
	enter(a.end, jobmon.TaskErrorRecoverable, failed)
}
