package runlog_test

import (
	"encoding/csv"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tasktide/internal/jobmon"
	"tasktide/internal/runlog"
	"tasktide/internal/store"
)

const csvColumns = "task,template,start,end,status\n"

var after = regexp.MustCompile(`@[0-9.]+`)

// table writes rows down in which @1.5 is one and a half seconds after noon.
func table(rows ...string) string {
	text := csvColumns + strings.Join(rows, "\n") + "\n"
	return after.ReplaceAllStringFunc(text, func(at string) string {
		seconds, _ := strconv.ParseFloat(at[1:], 64)
		return noon.Add(time.Duration(seconds * float64(time.Second))).Format(time.RFC3339Nano)
	})
}

func parseCSV(t *testing.T, text string, ends runlog.OpenEnds) []string {
	t.Helper()
	parsed, err := runlog.ParseCSV(strings.NewReader(text), ends)
	if err != nil {
		t.Fatal(err)
	}
	tasks := slices.Collect(parsed.Histories())
	if parsed.Len() != len(tasks) {
		t.Errorf("%d tasks are said to be %d", len(tasks), parsed.Len())
	}
	for _, task := range tasks {
		if err := task.Check(); err != nil {
			t.Error(err)
		}
	}
	return lives(tasks)
}

func TestCSVConventions(t *testing.T) {
	tests := map[string]struct {
		rows []string
		want []string
		now  []string // what differs when open ends last until now
	}{
		"a row runs from its start to its end": {
			rows: []string{"a,align,@1.25,@10,DONE", "b,sort,@3,@3,"},
			want: []string{"a/align x1 G1.25 Q1.25 I1.25 R1.25 D10", "b/sort x1 G3 Q3 I3 R3 D3"},
		},
		"of attempts that took no time at one instant, the one that was done is the last": {
			rows: []string{"a,t,@5,@5,D", "a,t,@5,@5,", "a,t,@5,@5,F"},
			want: []string{"a/t x3 G5 Q5 I5 R5 E5 G5 Q5 I5 R5 E5 G5 Q5 I5 R5 D5"},
		},
		"how it ended, in letters or names": {
			rows: []string{"a,t,@0,@1,D", "b,t,@0,@1,done", "c,t,@0,@1,F", "d,t,@0,@1,ERROR_FATAL", "e,t,@0,@1,E", "f,t,@0,@1,error_recoverable"},
			want: []string{
				"a/t x1 G0 Q0 I0 R0 D1", "b/t x1 G0 Q0 I0 R0 D1", "c/t x1 G0 Q0 I0 R0 E1 F1",
				"d/t x1 G0 Q0 I0 R0 E1 F1", "e/t x1 G0 Q0 I0 R0 E1 F1", "f/t x1 G0 Q0 I0 R0 E1 F1",
			},
		},
		"rows of one task are attempts in the order of their starts, and the task stands where its first row does": {
			rows: []string{"b,t,@9,@10,", "a,t,@6,@8,", "a,t,@0,@2,F", "a,t,@2,@4,", "B,t,@0,@1,"},
			want: []string{
				"b/t x1 G9 Q9 I9 R9 D10",
				"a/t x3 G0 Q0 I0 R0 E2 G2 Q2 I2 R2 E4 G4 Q6 I6 R6 D8",
				"B/t x1 G0 Q0 I0 R0 D1",
			},
		},
		"attempts of no length come before one that begins with them": {
			rows: []string{"a,t,@5,@7,", "a,t,@5,@5,E", "a,t,@5,@5,"},
			want: []string{"a/t x3 G5 Q5 I5 R5 E5 G5 Q5 I5 R5 E5 G5 Q5 I5 R5 D7"},
		},
		"without a start it counts from the log's first instant": {
			rows: []string{"a,t,,@7,", "b,t,@3,@5,"},
			want: []string{"a/t x1 G3 Q3 I3 R3 D7", "b/t x1 G3 Q3 I3 R3 D5"},
		},
		"the first instant may be an end": {
			rows: []string{"a,t,,@2,", "b,t,@3,@5,", "c,t,,@3,"},
			want: []string{"a/t x1 G2 Q2 I2 R2 D2", "b/t x1 G3 Q3 I3 R3 D5", "c/t x1 G2 Q2 I2 R2 D3"},
		},
		"what ran before the log may be tried again": {
			rows: []string{"a,t,@4,@5,", "a,t,,@4,"},
			want: []string{"a/t x2 G4 Q4 I4 R4 E4 G4 Q4 I4 R4 D5"},
		},
		"without an end it counts to the log's last instant, and is neither done nor failed": {
			rows: []string{"a,t,@0,,", "b,t,@1,@9,", "c,t,@2,,R", "d,t,@9,,RUNNING"},
			want: []string{
				"a/t x1 G0 Q0 I0 R0 E9 G9", "b/t x1 G1 Q1 I1 R1 D9",
				"c/t x1 G2 Q2 I2 R2 E9 G9", "d/t x1 G9 Q9 I9 R9 E9 G9",
			},
			now: []string{
				"a/t x1 G0 Q0 I0 R0", "b/t x1 G1 Q1 I1 R1 D9",
				"c/t x1 G2 Q2 I2 R2", "d/t x1 G9 Q9 I9 R9",
			},
		},
		"the last instant may be a start": {
			rows: []string{"a,t,@0,,", "b,t,@9,,"},
			want: []string{"a/t x1 G0 Q0 I0 R0 E9 G9", "b/t x1 G9 Q9 I9 R9 E9 G9"},
			now:  []string{"a/t x1 G0 Q0 I0 R0", "b/t x1 G9 Q9 I9 R9"},
		},
		"the last attempt may be open": {
			rows: []string{"a,t,@2,,", "a,t,@0,@1,E", "b,t,@0,@3,"},
			want: []string{"a/t x2 G0 Q0 I0 R0 E1 G1 Q2 I2 R2 E3 G3", "b/t x1 G0 Q0 I0 R0 D3"},
			now:  []string{"a/t x2 G0 Q0 I0 R0 E1 G1 Q2 I2 R2", "b/t x1 G0 Q0 I0 R0 D3"},
		},
		"open on both sides": {
			rows: []string{"a,t,,,", "b,t,@3,@5,"},
			want: []string{"a/t x1 G3 Q3 I3 R3 E5 G5", "b/t x1 G3 Q3 I3 R3 D5"},
			now:  []string{"a/t x1 G3 Q3 I3 R3", "b/t x1 G3 Q3 I3 R3 D5"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			text := table(test.rows...)
			if diff := cmp.Diff(test.want, parseCSV(t, text, runlog.OpenUntilLast)); diff != "" {
				t.Error(diff)
			}
			if test.now == nil {
				test.now = test.want
			}
			if diff := cmp.Diff(test.now, parseCSV(t, text, runlog.OpenUntilNow)); diff != "" {
				t.Errorf("until now: %s", diff)
			}
		})
	}
}

func TestCSVInstants(t *testing.T) {
	for text, want := range map[string]time.Time{
		"2026-03-01T12:00:00Z":                noon,
		"2026-03-01T13:30:00+01:30":           noon,
		"2026-03-01T12:00:00.000001Z":         noon.Add(time.Microsecond),
		"2026-03-01T12:00:00.000001999-00:00": noon.Add(time.Microsecond),
		"1772366400":                          noon,
		"1772366400.000001":                   noon.Add(time.Microsecond),
		"1772366400.5":                        noon.Add(time.Second / 2),
		"1772366400.0000019":                  noon.Add(time.Microsecond),
		"0.000001":                            time.UnixMicro(1),
		"253402300799.999999":                 time.UnixMicro(store.MaxInstant),
		"9999-12-31T23:59:59.999999999Z":      time.UnixMicro(store.MaxInstant),
	} {
		parsed, err := runlog.ParseCSV(strings.NewReader("task,template,start,end\na,t,"+text+","+text+"\n"), runlog.OpenUntilLast)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		for task := range parsed.Histories() {
			if got := time.UnixMicro(task.Moves[0].At); !got.Equal(want) {
				t.Errorf("%s is read as %v", text, got.UTC())
			}
		}
	}
}

func TestCSVLayout(t *testing.T) {
	want := []string{`say "a, b"/align x1 G0 Q0 I0 R0 D10`}
	const row = "2026-03-01T12:00:00Z,2026-03-01T12:00:10Z"
	for name, text := range map[string]string{
		"any order":                            "end,template,status,start,task\n1772366410,align,D,1772366400,\"say \"\"a, b\"\"\"\n",
		"no status":                            "task,template,start,end\n\"say \"\"a, b\"\"\",align," + row + "\n",
		"everything quoted, no last line end":  "\"task\",\"template\",\"start\",\"end\"\n\"say \"\"a, b\"\"\",\"align\",\"1772366400\",\"1772366410\"",
		"byte order mark, CRLF, blank lines":   "\ufefftask,template,start,end\r\n\r\n\"say \"\"a, b\"\"\",align," + row + "\r\n\r\n",
		"an empty value within quotes is none": "task,template,start,end,status\n\"say \"\"a, b\"\"\",align," + row + ",\"\"\n",
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, parseCSV(t, text, runlog.OpenUntilLast)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCSVDamage(t *testing.T) {
	row := func(column, value string) string {
		names := strings.Split(strings.TrimSpace(csvColumns), ",")
		fields := []string{"b", "align", "@0", "@10", "DONE"}
		fields[slices.Index(names, column)] = value
		return table("a,align,@0,@10,DONE", strings.Join(fields, ","))
	}
	tests := map[string]struct {
		text string
		code jobmon.Code
		says string
	}{
		"empty":                     {"", jobmon.CodeInvalid, "the file is empty"},
		"only a header":             {csvColumns, jobmon.CodeInvalid, "no tasks"},
		"unknown column":            {"task,template,start,end,colour\n", jobmon.CodeInvalid, `line 1, column "colour": unknown; the columns are task, template, start, end and, if there is one, status`},
		"another case":              {"Task,template,start,end\n", jobmon.CodeInvalid, `line 1, column "Task": unknown`},
		"semicolons":                {"task;template;start;end\n", jobmon.CodeInvalid, `separated by commas`},
		"no header":                 {"a,align,1,2\n", jobmon.CodeInvalid, `line 1, column "a": unknown`},
		"missing column":            {"task,template,start\n", jobmon.CodeInvalid, `line 1, column "end": no such column`},
		"column twice":              {"task," + csvColumns, jobmon.CodeInvalid, `line 1, column "task": the column is there twice`},
		"blank first line":          {"\n" + csvColumns, jobmon.CodeInvalid, `line 1, column "": unknown`},
		"damaged header":            {"task,\"template\n", jobmon.CodeInvalid, `line 1, column "#2": its quote is not closed`},
		"too few fields":            {csvColumns + "a,align\n", jobmon.CodeInvalid, `line 2, column "start": missing`},
		"too many fields":           {table("a,align,@0,@1,D,x"), jobmon.CodeInvalid, `line 2 has 6 fields`},
		"no task":                   {row("task", ""), jobmon.CodeInvalid, `line 3, column "task": missing`},
		"blank task":                {row("task", "  "), jobmon.CodeInvalid, `line 3, column "task": missing`},
		"no template":               {row("template", ""), jobmon.CodeInvalid, `line 3, column "template": missing`},
		"long task":                 {row("task", strings.Repeat("ü", 256)), jobmon.CodeInvalid, `line 3, column "task": the name is longer than 255`},
		"long template":             {row("template", strings.Repeat("ü", 256)), jobmon.CodeInvalid, `line 3, column "template": the name is longer than 255`},
		"no zone":                   {row("start", "2026-03-01T12:00:00"), jobmon.CodeInvalid, `line 3, column "start": "2026-03-01T12:00:00" is not an instant; write it with its zone`},
		"impossible date":           {row("end", "2026-02-30T12:00:00Z"), jobmon.CodeInvalid, `line 3, column "end": `},
		"a blank is no instant":     {row("end", " "), jobmon.CodeInvalid, `line 3, column "end": " " is not an instant`},
		"exponent":                  {row("start", "1.7e9"), jobmon.CodeInvalid, `line 3, column "start": `},
		"half a fraction":           {row("start", "1772366400."), jobmon.CodeInvalid, `line 3, column "start": `},
		"no whole":                  {row("start", ".5"), jobmon.CodeInvalid, `line 3, column "start": `},
		"negative":                  {row("start", "-1"), jobmon.CodeInvalid, `line 3, column "start": `},
		"negative fraction":         {row("start", "1.-5"), jobmon.CodeInvalid, `line 3, column "start": `},
		"the epoch":                 {row("start", "0"), jobmon.CodeInvalid, `line 3, column "start": "0" is not after the beginning of 1970`},
		"before the epoch":          {row("start", "1969-12-31T23:59:59Z"), jobmon.CodeInvalid, `line 3, column "start": `},
		"milliseconds":              {row("end", "1772366400000"), jobmon.CodeInvalid, `line 3, column "end": "1772366400000" is after the year 9999`},
		"huge instant":              {row("end", "99999999999999999999"), jobmon.CodeInvalid, `line 3, column "end": `},
		"year 10000":                {row("end", "9999-12-31T23:59:59-01:00"), jobmon.CodeInvalid, `line 3, column "end": `},
		"end before start":          {row("start", "@10.000001"), jobmon.CodeInvalid, `line 3, column "end": "2026-03-01T12:00:10Z" is before the start, "2026-03-01T12:00:10.000001Z"`},
		"unknown status":            {row("status", "EXPLODED"), jobmon.CodeInvalid, `line 3, column "status": "EXPLODED" does not end a run; use D (DONE)`},
		"a status that is no end":   {row("status", "QUEUED"), jobmon.CodeInvalid, `line 3, column "status": "QUEUED" does not end a run`},
		"ended, and running":        {row("status", "RUNNING"), jobmon.CodeInvalid, `line 3, column "status": RUNNING, although the row has an end`},
		"done, and without an end":  {row("end", ""), jobmon.CodeInvalid, `line 3, column "status": DONE, although the row has no end`},
		"no instant at all":         {table("a,align,,,", "b,align,,,"), jobmon.CodeInvalid, `line 2, column "start": missing, as every start and end`},
		"overlap":                   {table("a,t,@5,@9,", "b,t,@0,@1,", "a,t,@0,@5.000001,"), jobmon.CodeInvalid, `line 2, column "start": the attempt at the same task on line 4 has not ended`},
		"one within another":        {table("a,t,@0,@9,", "a,t,@5,@5,"), jobmon.CodeInvalid, `line 3, column "start": the attempt at the same task on line 2`},
		"twice the same":            {table("a,t,@0,@9,", "a,t,@0,@9,"), jobmon.CodeInvalid, `line 3, column "start": the attempt at the same task on line 2`},
		"overlap before the log":    {table("a,t,,@9,", "a,t,,@9,"), jobmon.CodeInvalid, `line 3, column "start": the attempt at the same task on line 2`},
		"before the log, and in it": {table("a,t,@5,@5,", "a,t,,@9,"), jobmon.CodeInvalid, `line 2, column "start": the attempt at the same task on line 3`},
		"open, and tried again":     {table("a,t,@0,,", "a,t,@9,@9,"), jobmon.CodeInvalid, `line 3, column "start": the attempt at the same task on line 2`},
		"two templates":             {table("a,t,@0,@1,", "a,u,@1,@2,"), jobmon.CodeInvalid, `line 3, column "template": "u", but the same task has "t" on line 2`},
		"done, and tried again":     {table("a,t,@0,@1,D", "a,t,@1,@2,"), jobmon.CodeInvalid, `line 2, column "status": DONE, but line 3 is a later attempt`},
		"quote inside":              {row("task", `say "a"`), jobmon.CodeInvalid, `line 3, column "task": has a quote inside`},
		"text after a quote":        {row("template", `"a"b`), jobmon.CodeInvalid, `line 3, column "template": a comma must follow`},
		"open quote":                {row("template", `"a`), jobmon.CodeInvalid, `line 3, column "template": its quote is not closed on this line`},
		"line break within quotes":  {row("template", "\"a\nb\""), jobmon.CodeInvalid, `line 3, column "template": its quote is not closed on this line`},
		"NUL":                       {row("task", "a\x00b"), jobmon.CodeInvalid, `line 3, column "task": holds a NUL byte`},
		"invalid UTF-8":             {row("status", "\xff"), jobmon.CodeInvalid, `line 3, column "status": is not UTF-8`},
		"UTF-16":                    {"\xff\xfet\x00a\x00", jobmon.CodeInvalid, `line 1, column "#1": `},
		"long line":                 {csvColumns + `"` + strings.Repeat("x", runlog.MaxLineBytes), jobmon.CodeTooLarge, "line 2 is longer than 1048576 bytes; this is no CSV file"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			parsed, err := runlog.ParseCSV(strings.NewReader(test.text), runlog.OpenUntilLast)
			if got := jobmon.ErrorCode(err); got != test.code {
				t.Errorf("code %q, want %q (%v)", got, test.code, err)
			}
			if err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %q does not say %q", err, test.says)
			}
			if parsed != nil {
				t.Errorf("%d tasks beside an error", parsed.Len())
			}
		})
	}
}

// What a failing reader cuts off is not taken for a damaged line.
func TestCSVReaderFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for _, text := range []string{"", "task,temp", csvColumns, csvColumns + "a,t,1", table("a,t,@0,@1,")} {
		parsed, err := runlog.ParseCSV(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken)), runlog.OpenUntilLast)
		if !errors.Is(err, broken) || parsed != nil {
			t.Errorf("after %q: %v", text, err)
		}
		parsed, err = runlog.ParseCSV(iotest.DataErrReader(io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))), runlog.OpenUntilLast)
		if !errors.Is(err, broken) || parsed != nil {
			t.Errorf("with %q: %v", text, err)
		}
	}
}

// TestCSVQuoting reads back what the standard library writes.
func TestCSVQuoting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a ",;'\\	é]{0,20}[a",]`)
		want := []string{name.Draw(t, "task"), name.Draw(t, "template")}
		var text strings.Builder
		writer := csv.NewWriter(&text)
		_ = writer.Write([]string{"task", "template", "start", "end"})
		_ = writer.Write([]string{want[0], want[1], "1", "2"})
		writer.Flush()
		parsed, err := runlog.ParseCSV(strings.NewReader(text.String()), runlog.OpenUntilLast)
		if err != nil {
			t.Fatal(err)
		}
		for task := range parsed.Histories() {
			if diff := cmp.Diff(want, []string{task.Name, task.Template}); diff != "" {
				t.Error(diff)
			}
		}
	})
}

func FuzzParseCSV(f *testing.F) {
	f.Add(table("a,align,@0,@10,DONE", "\"b\"\"\",align,,@9,F", "c,sort,@3,,"), true)
	f.Add(table("a,align,@0,@5,E", "a,align,@7,@7.5,", "b,sort,1772366400.25,1772366401,R"), false)
	f.Add("\ufefftemplate,end,start,task\r\nt,9,,\"a\r\n\x00\t\xff\n", false)
	f.Fuzz(func(t *testing.T, text string, now bool) {
		ends := runlog.OpenUntilLast
		if now {
			ends = runlog.OpenUntilNow
		}
		parsed, err := runlog.ParseCSV(strings.NewReader(text), ends)
		if err != nil {
			if jobmon.ErrorCode(err) == jobmon.CodeInternal || parsed != nil {
				t.Fatal(err)
			}
			return
		}
		attempts, seen := 0, map[string]bool{}
		for task := range parsed.Histories() {
			attempts += task.Attempts
			if err := task.Check(); err != nil {
				t.Error(err)
			}
			if seen[task.Name] || task.Template == "" {
				t.Errorf("task %q of template %q, again: %t", task.Name, task.Template, seen[task.Name])
			}
			seen[task.Name] = true
			for _, move := range task.Moves {
				if move.At <= 0 || move.At > store.MaxInstant {
					t.Errorf("task %q enters %s at %d", task.Name, move.To.Name(), move.At)
				}
			}
		}
		// The standard library agrees on what the rows are.
		if strings.Contains(strings.ReplaceAll(text, "\r\n", "\n"), "\r") {
			return // it takes some of these for line ends
		}
		reader := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
		rows, err := reader.ReadAll()
		if err != nil || len(rows) != attempts+1 || parsed.Len() != len(seen) {
			t.Errorf("%d rows, %d attempts at %d tasks of %d, %v", len(rows), attempts, len(seen), parsed.Len(), err)
		}
		for _, row := range rows[1:] {
			if task := row[slices.Index(rows[0], "task")]; !seen[task] {
				t.Errorf("no task %q", task)
			}
		}
	})
}
