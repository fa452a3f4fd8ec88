package runlog_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tasktide/internal/jobmon"
	"tasktide/internal/runlog"
)

// noon is the instant that the small traces call 12:00:00.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const columns = "name\tstatus\tsubmit\tduration\trealtime\n"

func trace(rows ...string) string {
	var text strings.Builder
	text.WriteString(columns)
	for _, row := range rows {
		// Columns are parted by two spaces or more, so that the rows below can be read.
		fields := strings.FieldsFunc(strings.ReplaceAll(row, "  ", "\t"), func(r rune) bool { return r == '\t' })
		for i := range fields {
			fields[i] = strings.TrimSpace(fields[i])
		}
		text.WriteString(strings.Join(fields, "\t") + "\n")
	}
	return text.String()
}

func parse(t *testing.T, text string) []jobmon.TaskHistory {
	t.Helper()
	run, err := runlog.ParseNextflow(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if run.Engine != "nextflow" {
		t.Errorf("engine %q", run.Engine)
	}
	return run.Tasks
}

// life writes a task down as "name/template xAttempts G0 Q0 ...", in seconds after noon.
func life(task jobmon.TaskHistory) string {
	words := []string{fmt.Sprintf("%s/%s x%d", task.Name, task.Template, task.Attempts)}
	for _, move := range task.Moves {
		words = append(words, fmt.Sprintf("%s%g", move.To, time.UnixMicro(move.At).Sub(noon).Seconds()))
	}
	return strings.Join(words, " ")
}

func lives(tasks []jobmon.TaskHistory) []string {
	all := make([]string, len(tasks))
	for i, task := range tasks {
		all[i] = life(task)
	}
	return all
}

func TestConventions(t *testing.T) {
	tests := map[string]struct {
		rows []string
		want []string
	}{
		"a task that completes runs until submit + duration, for realtime": {
			[]string{"align (a)  COMPLETED  2026-03-01 12:00:00.250  10s  4s"},
			[]string{"align (a)/align x1 G0.25 Q0.25 I6.25 O6.25 R6.25 D10.25"},
		},
		"a process without a tag is its own template": {
			[]string{"NF:SUB:align  COMPLETED  2026-03-01 12:00:00  10s  4s"},
			[]string{"NF:SUB:align/NF:SUB:align x1 G0 Q0 I6 O6 R6 D10"},
		},
		"a tag may hold brackets": {
			[]string{"align (a (b) (c))  COMPLETED  2026-03-01 12:00:00  10s  4s"},
			[]string{"align (a (b) (c))/align x1 G0 Q0 I6 O6 R6 D10"},
		},
		"rounding never makes a task run before its submit": {
			[]string{"align (a)  COMPLETED  2026-03-01 12:00:00  10s  10.4s"},
			[]string{"align (a)/align x1 G0 Q0 I0 O0 R0 D10"},
		},
		"a failure followed by a row of the same name is a retry, whatever the order of the rows": {
			[]string{
				"other  COMPLETED  2026-03-01 12:00:00  1s  1s",
				"align (a)  COMPLETED  2026-03-01 12:00:30  20s  5s",
				"align (a)  FAILED  2026-03-01 12:00:00  10s  4s",
			},
			[]string{
				"other/other x1 G0 Q0 I0 O0 R0 D1",
				"align (a)/align x2 G0 Q0 I6 O6 R6 E10 G10 Q30 I45 O45 R45 D50",
			},
		},
		"the last failure is fatal": {
			[]string{
				"align (a)  FAILED  2026-03-01 12:00:00  10s  4s",
				"align (a)  FAILED  2026-03-01 12:00:10  10s  4s",
			},
			[]string{"align (a)/align x2 G0 Q0 I6 O6 R6 E10 G10 Q10 I16 O16 R16 E20 F20"},
		},
		"an attempt that rounding lets overlap ends at its retry's submit": {
			[]string{
				"align (a)  FAILED  2026-03-01 12:00:00  10s  4s",
				"align (a)  COMPLETED  2026-03-01 12:00:09.600  10s  4s",
			},
			[]string{"align (a)/align x2 G0 Q0 I6 O6 R6 E9.6 G9.6 Q9.6 I15.6 O15.6 R15.6 D19.6"},
		},
		"an attempt cut back before it began to run runs for no time": {
			[]string{
				"align (a)  FAILED  2026-03-01 12:00:00  1s  100ms",
				"align (a)  COMPLETED  2026-03-01 12:00:00.500  1s  1s",
			},
			[]string{"align (a)/align x2 G0 Q0 I0.5 O0.5 R0.5 E0.5 G0.5 Q0.5 I0.5 O0.5 R0.5 D1.5"},
		},
		"two tasks may share a name: neither repeats the other": {
			[]string{
				"align (a)  FAILED  2026-03-01 12:00:00  1m  1m",
				"align (a)  COMPLETED  2026-03-01 12:00:10  10s  10s",
				"align (a)  COMPLETED  2026-03-01 12:02:00  10s  10s",
			},
			[]string{
				"align (a)/align x1 G0 Q0 I0 O0 R0 E60 F60",
				"align (a)/align x1 G10 Q10 I10 O10 R10 D20",
				"align (a)/align x1 G120 Q120 I120 O120 R120 D130",
			},
		},
		"names that differ in case are different": {
			[]string{
				"align (a)  FAILED  2026-03-01 12:00:00  10s  10s",
				"align (A)  COMPLETED  2026-03-01 12:00:20  10s  10s",
			},
			[]string{
				"align (a)/align x1 G0 Q0 I0 O0 R0 E10 F10",
				"align (A)/align x1 G20 Q20 I20 O20 R20 D30",
			},
		},
		"a cached task never ran": {
			[]string{"align (a)  CACHED  2026-03-01 12:00:00  10s  4s"},
			[]string{"align (a)/align x0 G0 D0"},
		},
		"a cached task is nobody's retry": {
			[]string{
				"align (a)  FAILED  2026-03-01 12:00:00  10s  10s",
				"align (a)  CACHED  2026-03-01 12:01:00  -  -",
			},
			[]string{"align (a)/align x1 G0 Q0 I0 O0 R0 E10 F10", "align (a)/align x0 G60 D60"},
		},
		"an aborted task ends like a fatal failure": {
			[]string{"align (a)  ABORTED  2026-03-01 12:00:00  10s  4s"},
			[]string{"align (a)/align x1 G0 Q0 I6 O6 R6 E10 F10"},
		},
		"an attempt that never started never runs": {
			[]string{
				"align (a)  FAILED  2026-03-01 12:00:00  10s  -",
				"align (a)  ABORTED  2026-03-01 12:00:10  5s  -",
				"align (b)  ABORTED  2026-03-01 12:00:10  -  -",
			},
			[]string{
				"align (a)/align x2 G0 Q0 I10 E10 G10 Q10 I15 E15 F15",
				"align (b)/align x1 G10 Q10 I10 E10 F10",
			},
		},
		"a task that completed ran, even when nobody noted for how long": {
			[]string{"align (a)  COMPLETED  2026-03-01 12:00:00  10s  -"},
			[]string{"align (a)/align x1 G0 Q0 I10 O10 R10 D10"},
		},
		"durations for people": {
			[]string{
				"a  COMPLETED  2026-03-01 12:00:00  1d 2h 3m 4s  1h 2m 3s",
				"b  COMPLETED  2026-03-01 12:00:00  7m  2.5s",
				"c  COMPLETED  2026-03-01 12:00:00  66ms  0ms",
			},
			[]string{
				"a/a x1 G0 Q0 I90061 O90061 R90061 D93784",
				"b/b x1 G0 Q0 I417.5 O417.5 R417.5 D420",
				"c/c x1 G0 Q0 I0.066 O0.066 R0.066 D0.066",
			},
		},
		"raw milliseconds": {
			[]string{fmt.Sprintf("a  COMPLETED  %d  1500  250", noon.UnixMilli())},
			[]string{"a/a x1 G0 Q0 I1.25 O1.25 R1.25 D1.5"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, lives(parse(t, trace(test.rows...)))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLayout(t *testing.T) {
	want := []string{"align (a)/align x1 G0 Q0 I6 O6 R6 D10"}
	for name, text := range map[string]string{
		"any order, with other columns": "exit\trealtime\tduration\ttask_id\tsubmit\tstatus\tname\n" +
			"0\t4s\t10s\t1\t2026-03-01 12:00:00\tCOMPLETED\talign (a)\n",
		"byte order mark, CRLF, blank last line": "\ufeff" + strings.ReplaceAll(columns, "\n", "\r\n") +
			"align (a)\tCOMPLETED\t2026-03-01 12:00:00\t10s\t4s\r\n\r\n",
		"no last line end": columns + "align (a)\tCOMPLETED\t2026-03-01 12:00:00\t10s\t4s",
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, lives(parse(t, text))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestDamage(t *testing.T) {
	good := "align (a)\tCOMPLETED\t2026-03-01 12:00:00\t10s\t4s\n"
	row := func(column, value string) string {
		fields := strings.Split(strings.TrimSuffix(good, "\n"), "\t")
		fields[slices.Index(strings.Fields(columns), column)] = value
		return columns + good + strings.Join(fields, "\t") + "\n"
	}
	tests := map[string]struct {
		text string
		code jobmon.Code
		says string
	}{
		"empty":                 {"", jobmon.CodeInvalid, "the file is empty"},
		"only a header":         {columns, jobmon.CodeInvalid, "no tasks"},
		"another kind of file":  {"a,b,c\n1,2,3\n", jobmon.CodeInvalid, `line 1, column "name": no such column`},
		"missing column":        {"name\tstatus\tsubmit\tduration\n", jobmon.CodeInvalid, `line 1, column "realtime": no such column`},
		"column twice":          {"name\t" + columns, jobmon.CodeInvalid, `line 1, column "name": the column is there twice`},
		"too few fields":        {columns + "align\tCOMPLETED\n", jobmon.CodeInvalid, `line 2, column "submit": missing`},
		"too many fields":       {columns + good + "x\t" + good, jobmon.CodeInvalid, `line 3 has 6 fields`},
		"cut off":               {columns + good + good[:30], jobmon.CodeInvalid, `line 3, column "duration": missing`},
		"no name":               {row("name", ""), jobmon.CodeInvalid, `line 3, column "name": a task needs a name`},
		"only a tag":            {row("name", " (a)"), jobmon.CodeInvalid, `line 3, column "name": a task needs a name`},
		"long name":             {row("name", strings.Repeat("ü", 256)), jobmon.CodeInvalid, `line 3, column "name": the name is longer than 255`},
		"unknown status":        {row("status", "EXPLODED"), jobmon.CodeInvalid, `line 3, column "status": "EXPLODED" is not a status`},
		"not an instant":        {row("submit", "yesterday"), jobmon.CodeInvalid, `line 3, column "submit": "yesterday" is not an instant`},
		"impossible date":       {row("submit", "2026-02-30 12:00:00"), jobmon.CodeInvalid, `line 3, column "submit": `},
		"no submit":             {row("submit", "-"), jobmon.CodeInvalid, `line 3, column "submit": `},
		"before the epoch":      {row("submit", "1969-12-31 23:59:59"), jobmon.CodeInvalid, `line 3, column "submit": `},
		"microseconds":          {row("submit", "1772366400000000"), jobmon.CodeInvalid, `line 3, column "submit": `},
		"past the end of time":  {row("submit", "9999-12-31 23:59:58"), jobmon.CodeInvalid, `line 3, column "duration": `},
		"huge instant":          {row("submit", "99999999999999999999"), jobmon.CodeInvalid, `line 3, column "submit": `},
		"negative duration":     {row("duration", "-5s"), jobmon.CodeInvalid, `line 3, column "duration": "-5s" is negative`},
		"negative milliseconds": {row("duration", "-5000"), jobmon.CodeInvalid, `line 3, column "duration": "-5000" is negative`},
		"negative part":         {row("duration", "1m -5s"), jobmon.CodeInvalid, `line 3, column "duration": `},
		"negative realtime":     {row("realtime", "-1s"), jobmon.CodeInvalid, `line 3, column "realtime": "-1s" is negative`},
		"no unit":               {row("duration", "1m 5"), jobmon.CodeInvalid, `line 3, column "duration": "1m 5" is not a duration`},
		"unknown unit":          {row("duration", "5 parsecs"), jobmon.CodeInvalid, `line 3, column "duration": `},
		"empty duration":        {row("duration", ""), jobmon.CodeInvalid, `line 3, column "duration": `},
		"a thousand years":      {row("duration", "365000d"), jobmon.CodeInvalid, `line 3, column "duration": `},
		"too many days":         {row("duration", "99999999999999d"), jobmon.CodeInvalid, `line 3, column "duration": `},
		"too many milliseconds": {row("realtime", "99999999999999999999"), jobmon.CodeInvalid, `line 3, column "realtime": `},
		"ran without an end":    {row("duration", "-"), jobmon.CodeInvalid, `line 3, column "duration": missing`},
		"NUL":                   {row("name", "a\x00b"), jobmon.CodeInvalid, `line 3, column "name": holds a NUL byte`},
		"invalid UTF-8":         {row("status", "\xff"), jobmon.CodeInvalid, `line 3, column "status": is not UTF-8`},
		"UTF-16":                {"\xff\xfen\x00a\x00", jobmon.CodeInvalid, `line 1, column "#1": `},
		"long line":             {columns + strings.Repeat("x", runlog.MaxLineBytes+1), jobmon.CodeTooLarge, "line 2 is longer than 1048576 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			run, err := runlog.ParseNextflow(strings.NewReader(test.text))
			if got := jobmon.ErrorCode(err); got != test.code {
				t.Errorf("code %q, want %q (%v)", got, test.code, err)
			}
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q does not say %q", err, test.says)
			}
			if len(run.Tasks) > 0 {
				t.Errorf("%d tasks beside an error", len(run.Tasks))
			}
		})
	}
}

func TestReaderFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	run, err := runlog.ParseNextflow(iotest.ErrReader(broken))
	if !errors.Is(err, broken) || len(run.Tasks) > 0 {
		t.Errorf("got %d tasks and %v", len(run.Tasks), err)
	}
}

// TestRowOrder writes random runs down, shuffled, and reads the same lives back.
func TestRowOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows, want []string
		for task := range rapid.IntRange(1, 20).Draw(t, "tasks") {
			name := fmt.Sprintf("p%d (%d)", task%3, task)
			attempts := rapid.IntRange(1, 4).Draw(t, "attempts")
			text := fmt.Sprintf("%s/p%d x%d", name, task%3, attempts)
			at := int64(rapid.IntRange(0, 100).Draw(t, "submit"))
			text += fmt.Sprintf(" G%d", at)
			for attempt := range attempts {
				waits := int64(rapid.IntRange(0, 50).Draw(t, "waits"))
				runs := int64(rapid.IntRange(0, 50).Draw(t, "runs"))
				start, end := at+waits, at+waits+runs
				status := "FAILED"
				if attempt == attempts-1 {
					status = rapid.SampledFrom([]string{"COMPLETED", "FAILED", "ABORTED"}).Draw(t, "status")
				}
				rows = append(rows, fmt.Sprintf("%s\t%s\t%d\t%ds\t%ds\n",
					name, status, noon.UnixMilli()+at*1000, waits+runs, runs))
				text += fmt.Sprintf(" Q%d I%d O%d R%d", at, start, start, start)
				switch {
				case status == "COMPLETED":
					text += fmt.Sprintf(" D%d", end)
				case attempt == attempts-1:
					text += fmt.Sprintf(" E%d F%d", end, end)
				default:
					text += fmt.Sprintf(" E%d G%d", end, end)
				}
				// Attempts of one name that share a submit are told apart by their order alone.
				at = max(end, at+1) + int64(rapid.IntRange(0, 50).Draw(t, "pause"))
			}
			want = append(want, text)
		}
		shuffle := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "order"), 0))
		shuffle.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })

		run, err := runlog.ParseNextflow(strings.NewReader(columns + strings.Join(rows, "")))
		if err != nil {
			t.Fatal(err)
		}
		got := lives(run.Tasks)
		slices.Sort(got)
		slices.Sort(want)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func FuzzParseNextflow(f *testing.F) {
	f.Add([]byte(trace("align (a)  COMPLETED  2026-03-01 12:00:00.250  1d 2h 3m 4.5s  66ms")))
	f.Add([]byte(trace(
		"align (a)  FAILED  2026-03-01 12:00:00  10s  4s",
		"align (a)  ABORTED  1772366409600  5000  -",
		"align (a)  CACHED  2026-03-01 12:00:00  -  -",
	)))
	f.Add([]byte("\ufeff" + columns + "\r\n\x00\t\xff\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		run, err := runlog.ParseNextflow(strings.NewReader(string(text)))
		if err != nil {
			if jobmon.ErrorCode(err) == jobmon.CodeInternal || run.Tasks != nil {
				t.Fatalf("%d tasks and %v", len(run.Tasks), err)
			}
			return
		}
		for _, task := range run.Tasks {
			if err := task.Check(); err != nil {
				t.Error(err)
			}
			if task.Template == "" || !strings.HasPrefix(task.Name, task.Template) {
				t.Errorf("task %q of template %q", task.Name, task.Template)
			}
		}
	})
}
