package runlog

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"tasktide/internal/jobmon"
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
	return parseNextflow(r, MaxRows)
}

func parseNextflow(r io.Reader, maxRows int) (Run, error) {
	attempts, err := readTrace(r, maxRows)
	if err != nil {
		return Run{}, err
	}
	return Run{Engine: "nextflow", Tasks: joinAttempts(attempts)}, nil
}

// readTrace returns the attempts of a trace in the order of its rows.
func readTrace(r io.Reader, maxRows int) (attempts []attempt, err error) {
	var head *header
	err = readLines(r, "Nextflow trace", maxRows, func(line string) (err error) {
		head, err = parseHeader(line)
		return err
	}, func(number int, line string) error {
		fields := strings.Split(line, "\t")
		if err := head.checkRow(number, fields); err != nil {
			return err
		}
		attempt, err := newAttempt(number, func(column string) string { return fields[head.position[column]] })
		attempts = append(attempts, attempt)
		return err
	})
	return attempts, err
}

func parseHeader(line string) (*header, error) {
	head := &header{columns: strings.Split(line, "\t"), position: map[string]int{}}
	if err := checkText(1, head.columns, nil); err != nil {
		return nil, err
	}
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
