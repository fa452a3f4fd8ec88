package runlog

import (
	"errors"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// The columns of a CSV file, besides columnStatus, which may be left out.
const (
	columnTask     = "task"
	columnTemplate = "template"
	columnStart    = "start"
	columnEnd      = "end"
)

var csvColumns = []string{columnTask, columnTemplate, columnStart, columnEnd, columnStatus}

// OpenEnds says how long a task runs whose end a log does not know.
type OpenEnds int

// The choices.
const (
	OpenUntilLast OpenEnds = iota // until the last instant of the log
	OpenUntilNow                  // until now, whenever somebody asks: it runs still
)

// ParseCSV reads a table of when tasks ran: comma-separated values as RFC 4180 has them, but for line
// breaks in a value, with a header that names the columns task, template, start and end, in any order,
// and status or not. Instants are RFC 3339 with a zone, or seconds since the Unix epoch; what they have
// beyond microseconds is cut off.
//
// A row is one attempt at a task, which runs in the half-open span [start, end). Rows of one task are its
// attempts in the order of their starts; they have one template and do not overlap.
//
//   - A task is RUNNING at its start, and in every status that leads there at the same instant: nothing is
//     known of how long it waited. Between two attempts it is REGISTERING.
//   - Without a start it ran before the log began, and counts from the first instant of the log: the
//     earliest that any row names.
//   - Without an end it still ran when the log ended. With OpenUntilLast it counts to the last instant of
//     the log, the latest that any row names, and goes through ERROR_RECOVERABLE back to REGISTERING there:
//     its attempt is over, and neither done nor known to have failed for good. With OpenUntilNow it stays
//     RUNNING.
//   - An attempt that has an end ends DONE when its status is DONE or none, and fails when it is
//     ERROR_RECOVERABLE or ERROR_FATAL. Whether a failure was fatal is told by what follows: with another
//     attempt it was not. A row without status that another attempt follows has failed, and one that is
//     DONE has no other after it. RUNNING is the status of a row without an end, or none.
//
// Every history passes [jobmon.TaskHistory.Check]. A file that cannot be read is CodeInvalid, one that
// exceeds a bound CodeTooLarge, with the line and, where there is one, the column in the message; a failure
// of r is returned as it is. With an error, there is no Table.
func ParseCSV(r io.Reader, ends OpenEnds) (*Table, error) { return parseCSV(r, ends, MaxRows) }

func parseCSV(r io.Reader, ends OpenEnds, maxRows int) (*Table, error) {
	reader := csvReader{templates: map[string]int32{}}
	if err := readLines(r, "CSV file", maxRows, reader.readHeader, reader.readRow); err != nil {
		return nil, err
	}
	return newTable(reader.names, reader.spans, ends)
}

// csvReader gathers the rows of a file.
type csvReader struct {
	header
	fields    []string // of the current line
	templates map[string]int32
	names     []string // of the templates
	spans     []span
}

func (c *csvReader) readHeader(line string) error {
	columns, err := splitCSV(line, nil)
	if err != nil {
		return damaged(1, columnAt(nil, len(columns)), "%v", err)
	}
	if err := checkText(1, columns, nil); err != nil {
		return err
	}
	c.header = header{columns: columns, position: map[string]int{}}
	for i, column := range columns {
		if !slices.Contains(csvColumns, column) {
			return damaged(1, column, "unknown; the columns are task, template, start, end and, if there is one, status, "+
				"separated by commas")
		}
		if _, twice := c.position[column]; twice {
			return damaged(1, column, "the column is there twice")
		}
		c.position[column] = i
	}
	for _, column := range csvColumns {
		if _, known := c.position[column]; !known && column != columnStatus {
			return damaged(1, column, "no such column; the columns are task, template, start, end and, if there is one, status")
		}
	}
	return nil
}

func (c *csvReader) readRow(number int, line string) (err error) {
	if c.fields, err = splitCSV(line, c.fields[:0]); err != nil {
		return damaged(number, columnAt(c.columns, len(c.fields)), "%v", err)
	}
	if err := c.checkRow(number, c.fields); err != nil {
		return err
	}
	for _, column := range []string{columnTask, columnTemplate} {
		switch name := c.field(column); {
		case strings.TrimSpace(name) == "":
			return damaged(number, column, "missing; each row needs the names of a task and of its template")
		case utf8.RuneCountInString(name) > MaxNameRunes:
			return damaged(number, column, "the name is longer than %d characters", MaxNameRunes)
		}
	}
	s, err := newSpan(number, c.field)
	if err != nil {
		return err
	}
	s.template = c.templateIndex(c.field(columnTemplate))
	c.spans = append(c.spans, s)
	return nil
}

// field returns the current line's text in a column, and nothing in one that is not there.
func (c *csvReader) field(column string) string {
	i, known := c.position[column]
	if !known {
		return ""
	}
	return c.fields[i]
}

// templateIndex makes all rows of a template share its name.
func (c *csvReader) templateIndex(name string) int32 {
	i, known := c.templates[name]
	if !known {
		name = strings.Clone(name)
		i = int32(len(c.names)) //nolint:gosec // there are no more of them than MaxRows
		c.names = append(c.names, name)
		c.templates[name] = i
	}
	return i
}

// splitCSV appends the fields of a line, quoted or not, to fields. With an error, it has appended those
// before the field that is damaged. The standard library's reader would hold a row of any length: a quote
// that is nowhere closed makes one of the rest of the file.
func splitCSV(line string, fields []string) ([]string, error) {
	for more := true; more; {
		var field string
		if quoted, isQuoted := strings.CutPrefix(line, `"`); isQuoted {
			var err error
			if field, line, err = cutQuoted(quoted); err != nil {
				return fields, err
			}
			if line, more = strings.CutPrefix(line, ","); !more && line != "" {
				return fields, errors.New("a comma must follow the closing quote; a quote within quotes is written twice")
			}
		} else {
			field, line, more = strings.Cut(line, ",")
			if strings.Contains(field, `"`) {
				return fields, errors.New("has a quote inside; enclose the whole field in quotes, and write that quote twice")
			}
		}
		fields = append(fields, field)
	}
	return fields, nil
}

// cutQuoted returns a field whose opening quote is cut off, and what follows its closing quote.
func cutQuoted(text string) (field, rest string, err error) {
	var parts strings.Builder
	for {
		part, after, closed := strings.Cut(text, `"`)
		if !closed {
			return "", "", errors.New("its quote is not closed on this line; a field may hold no line break")
		}
		if text, closed = strings.CutPrefix(after, `"`); !closed {
			if parts.Len() == 0 {
				return part, after, nil
			}
			parts.WriteString(part)
			return parts.String(), after, nil
		}
		parts.WriteString(part)
		parts.WriteByte('"')
	}
}
