package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
)

// outputFlags are the flags of every command that prints a result. They set the terminal that the command gets.
type outputFlags struct {
	JSON  bool `name:"json" xor:"format" help:"Print the result as one JSON document."`
	Quiet bool `short:"q" help:"Print only the result that a script needs, and errors."`
}

// AfterApply tells the terminal, which Run gets. Kong wants the error.
func (f outputFlags) AfterApply(t *terminal) error { //nolint:unparam // kong requires an error
	t.asJSON, t.quiet = f.JSON, f.Quiet
	if f.Quiet {
		t.level.Set(slog.LevelError)
	}
	return nil
}

// terminal is where a command talks to a person or a script: results on out, everything else on err.
type terminal struct {
	out, err io.Writer
	log      *slog.Logger
	level    *slog.LevelVar // of log

	asJSON, quiet bool
}

// item prints a part of the result in a line of its own, as it becomes known. With --json, the document has it.
func (t *terminal) item(part any) error {
	if t.asJSON {
		return nil
	}
	_, err := fmt.Fprintln(t.out, part)
	return err
}

// nothing is the text of a result whose items are printed already.
func nothing() error { return nil }

// ornament is where what moves is drawn, such as a progress bar.
func (t *terminal) ornament() io.Writer {
	if t.quiet {
		return io.Discard
	}
	return t.err
}

// result prints the result of a command: with --json the document, else as text prints it.
func (t *terminal) result(document any, text func() error) error {
	if !t.asJSON {
		return text()
	}
	encoder := json.NewEncoder(t.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(document)
}

// line returns what prints a result of one line that a script needs.
func (t *terminal) line(result any) func() error {
	return func() error {
		_, err := fmt.Fprintln(t.out, result)
		return err
	}
}

// prose returns what prints a sentence in place of a result, for people only.
func (t *terminal) prose(format string, args ...any) func() error {
	return func() error {
		if t.quiet {
			return nil
		}
		_, err := fmt.Fprintf(t.out, format, args...)
		return err
	}
}

// sayf tells a person something beside the result.
func (t *terminal) sayf(format string, args ...any) {
	if !t.quiet {
		fmt.Fprintf(t.err, format, args...)
	}
}

// moment is an instant in a document: RFC 3339 in UTC, always with microseconds.
type moment time.Time

// MarshalText implements [encoding.TextMarshaler].
func (m moment) MarshalText() ([]byte, error) { //nolint:unparam // the interface requires an error
	return []byte(time.Time(m).UTC().Format("2006-01-02T15:04:05.000000Z")), nil
}

// momentOf returns the instant of microseconds since the Unix epoch, nil for 0, which stands for one that has not come.
func momentOf(micros int64) *moment {
	if micros == 0 {
		return nil
	}
	return new(moment(time.UnixMicro(micros)))
}

// printable replaces what would move the cursor of a terminal, or break a table, by its escape sequence.
func printable(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) < 0 {
		return text
	}
	quoted := fmt.Sprintf("%q", text)
	return quoted[1 : len(quoted)-1]
}
