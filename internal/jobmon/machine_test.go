package jobmon_test

import (
	"encoding"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
)

// The tables are JobMon's, written down here once more: each status by its letter, with the letters
// that may follow it. INCOMPLETE is ours; its letter is none of JobMon's for a workflow.
var (
	taskTable = map[string]string{
		"G": "Q", "Q": "I", "I": "ORE", "O": "RE", "R": "DE", "D": "", "E": "AQFG", "A": "Q", "F": "",
	}
	instanceTable = map[string]string{
		"Q": "IK", "I": "OWKR", "O": "RUXZKF", "R": "TEUZKD", "T": "RZUF", "K": "FD", "X": "E",
		"D": "", "E": "", "F": "", "W": "", "U": "", "Z": "",
	}
	workflowTable = map[string]string{
		"G": "QA", "A": "G", "F": "G", "H": "G", "Q": "IFH", "I": "OF", "O": "RF", "R": "HDF", "D": "", "N": "G",
	}
	runTable = map[string]string{
		"G": "L", "L": "BA", "B": "IECH", "I": "OE", "O": "RE", "R": "DSCHE", "C": "T", "H": "T",
		"D": "", "S": "", "E": "", "T": "", "A": "",
	}
	taskNames = map[string]string{
		"G": "REGISTERING", "Q": "QUEUED", "I": "INSTANTIATING", "O": "LAUNCHED", "R": "RUNNING",
		"D": "DONE", "E": "ERROR_RECOVERABLE", "A": "ADJUSTING_RESOURCES", "F": "ERROR_FATAL",
	}
	instanceNames = map[string]string{
		"Q": "QUEUED", "I": "INSTANTIATED", "O": "LAUNCHED", "R": "RUNNING", "T": "TRIAGING", "D": "DONE",
		"E": "ERROR", "F": "ERROR_FATAL", "K": "KILL_SELF", "W": "NO_DISTRIBUTOR_ID", "X": "NO_HEARTBEAT",
		"U": "UNKNOWN_ERROR", "Z": "RESOURCE_ERROR",
	}
	workflowNames = map[string]string{
		"G": "REGISTERING", "Q": "QUEUED", "I": "INSTANTIATING", "O": "LAUNCHED", "R": "RUNNING",
		"D": "DONE", "H": "HALTED", "F": "FAILED", "A": "ABORTED", "N": "INCOMPLETE",
	}
	runNames = map[string]string{
		"G": "REGISTERED", "L": "LINKING", "B": "BOUND", "I": "INSTANTIATED", "O": "LAUNCHED", "R": "RUNNING",
		"D": "DONE", "S": "STOPPED", "E": "ERROR", "C": "COLD_RESUME", "H": "HOT_RESUME", "T": "TERMINATED",
		"A": "ABORTED",
	}
)

// status is what the four kinds of status have in common.
type status[S any] interface {
	~byte
	MayBecome(S) bool
	Name() string
	String() string
	encoding.TextMarshaler
}

func TestMachines(t *testing.T) {
	t.Run("task", func(t *testing.T) {
		testMachine(t, jobmon.TaskStatuses(), jobmon.ParseTaskStatus, taskTable, taskNames)
	})
	t.Run("task instance", func(t *testing.T) {
		testMachine(t, jobmon.InstanceStatuses(), jobmon.ParseInstanceStatus, instanceTable, instanceNames)
	})
	t.Run("workflow", func(t *testing.T) {
		testMachine(t, jobmon.WorkflowStatuses(), jobmon.ParseWorkflowStatus, workflowTable, workflowNames)
	})
	t.Run("workflow run", func(t *testing.T) {
		testMachine(t, jobmon.RunStatuses(), jobmon.ParseRunStatus, runTable, runNames)
	})
}

func testMachine[S status[S]](
	t *testing.T, all []S, parse func(string) (S, error), table, names map[string]string,
) {
	t.Helper()
	if len(all) != len(table) || len(names) != len(table) {
		t.Errorf("%d statuses are listed, the table has %d and %d names", len(all), len(table), len(names))
	}
	listed := map[string]bool{}
	for _, s := range all {
		listed[s.String()] = true
	}
	// Every pair of bytes: a letter that is no status may become nothing, and nothing may become it.
	for from := range 256 {
		for to := range 256 {
			next, known := table[string(rune(from))]
			want := known && strings.ContainsRune(next, rune(to))
			if got := S(from).MayBecome(S(to)); got != want {
				t.Errorf("%q may become %q: %t, want %t", rune(from), rune(to), got, want)
			}
		}
	}
	for letter, name := range names {
		want := S(letter[0])
		if !listed[letter] {
			t.Errorf("%s is not listed", letter)
		}
		if want.Name() != name || want.String() != letter {
			t.Errorf("%s is called %q, %q; want %q", letter, want.String(), want.Name(), name)
		}
		for _, text := range []string{letter, name, strings.ToLower(name), name[:1] + strings.ToLower(name[1:])} {
			if got, err := parse(text); err != nil || got != want {
				t.Errorf("%q is read as %q, %v", text, got.String(), err)
			}
		}
		text, err := want.MarshalText()
		if err != nil || string(text) != letter {
			t.Errorf("%s is written as %q, %v", letter, text, err)
		}
	}
	for _, text := range []string{"", "?", "q", "QQ", "RUNNINGS", " R", "\x00", "É"} {
		got, err := parse(text)
		if err == nil || got != 0 {
			t.Errorf("%q is read as %q", text, got.String())
			continue
		}
		if code := jobmon.ErrorCode(err); code != jobmon.CodeInvalid {
			t.Errorf("%q: code %s", text, code)
		}
		for letter, name := range names {
			if !strings.Contains(err.Error(), letter+" ("+name+")") {
				t.Errorf("the error for %q does not offer %s: %v", text, name, err)
			}
		}
	}
	if none := S(0); none.Name() != "" || none.String() != "" {
		t.Errorf("no status is called %q, %q", none.String(), none.Name())
	}
	all[0] = 0
	if _, err := parse("G"); err != nil && listed["G"] {
		t.Error("a caller's list is the package's own")
	}
}
