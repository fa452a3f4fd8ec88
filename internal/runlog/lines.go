package runlog

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"tasktide/internal/jobmon"
)

// readLines reads a log that has one row a line, below the names of its columns. It hands the first line
// to head and each later one that is not empty to row, with its number, and stops at the first error. kind
// is what the log is called in messages.
func readLines(r io.Reader, kind string, maxRows int, head func(line string) error, row func(number int, line string) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, MaxLineBytes)
	number, rows := 0, 0
	take := func(line string) error {
		switch {
		case number == 1:
			return head(strings.TrimPrefix(line, "\ufeff"))
		case line == "":
			return nil
		case rows == maxRows:
			return jobmon.Errorf(jobmon.CodeTooLarge, "line %d: a %s may have at most %d rows; split the run", number, kind, maxRows)
		}
		rows++
		return row(number, line)
	}
	for lines.Scan() {
		number++
		if err := take(lines.Text()); err != nil {
			// When r fails within a line, what there is of the line comes first. It is not damaged.
			if lines.Err() != nil {
				break
			}
			return err
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return jobmon.Errorf(jobmon.CodeTooLarge, "line %d is longer than %d bytes; this is no %s", number+1, MaxLineBytes, kind)
	case err != nil:
		return fmt.Errorf("reading after line %d of the %s: %w", number, kind, err)
	case number == 0:
		return jobmon.Errorf(jobmon.CodeInvalid, "the file is empty; a %s begins with its column names", kind)
	case rows == 0:
		return jobmon.Errorf(jobmon.CodeInvalid, "the %s has column names but no tasks", kind)
	}
	return nil
}

// header says which column stands where.
type header struct {
	columns  []string
	position map[string]int
}

// checkRow refuses a row that has not one field for each column, or a text that cannot be stored.
func (h *header) checkRow(number int, fields []string) error {
	if err := checkText(number, fields, h.columns); err != nil {
		return err
	}
	if len(fields) < len(h.columns) {
		return damaged(number, h.columns[len(fields)],
			"missing; the line has %d fields and the header %d", len(fields), len(h.columns))
	}
	if len(fields) > len(h.columns) {
		return jobmon.Errorf(jobmon.CodeInvalid,
			"line %d has %d fields and the header only %d", number, len(fields), len(h.columns))
	}
	return nil
}

// checkText refuses what no database stores as text.
func checkText(number int, fields, columns []string) error {
	for i, field := range fields {
		switch {
		case strings.ContainsRune(field, 0):
			return damaged(number, columnAt(columns, i), "holds a NUL byte; save the file as UTF-8 text")
		case !utf8.ValidString(field):
			return damaged(number, columnAt(columns, i), "is not UTF-8; save the file as UTF-8 text")
		}
	}
	return nil
}

// columnAt returns the name of a column, or its number where it has none.
func columnAt(columns []string, i int) string {
	if i < len(columns) {
		return columns[i]
	}
	return fmt.Sprintf("#%d", i+1)
}

// damaged returns the error of a value that cannot be read.
func damaged(line int, column, format string, args ...any) error {
	return jobmon.Errorf(jobmon.CodeInvalid, "line %d, column %.40q: %s", line, column, fmt.Sprintf(format, args...))
}
