package runlog

import (
	"strings"
	"testing"

	"tasktide/internal/jobmon"
)

// The real bound takes gigabytes to reach.
func TestTooManyRows(t *testing.T) {
	row := "a\tCOMPLETED\t0\t1\t1\n"
	text := "name\tstatus\tsubmit\tduration\trealtime\n" + strings.Repeat(row, 3)
	if run, err := parseNextflow(strings.NewReader(text), 3); err != nil || len(run.Tasks) != 3 {
		t.Errorf("3 rows of 3 allowed: %d tasks, %v", len(run.Tasks), err)
	}
	run, err := parseNextflow(strings.NewReader(text+row), 3)
	if jobmon.ErrorCode(err) != jobmon.CodeTooLarge || len(run.Tasks) > 0 {
		t.Errorf("4 rows of 3 allowed: %d tasks, %v", len(run.Tasks), err)
	}
	if err != nil && !strings.HasPrefix(err.Error(), "line 5: ") {
		t.Errorf("error %q does not name line 5", err)
	}
}
