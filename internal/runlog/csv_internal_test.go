package runlog

import (
	"strings"
	"testing"

	"tasktide/internal/jobmon"
)

// The real bound takes a gigabyte to reach. Blank lines do not count.
func TestTooManyCSVRows(t *testing.T) {
	text := "task,template,start,end\n\na,t,1,2\nb,t,1,2\n\n"
	if parsed, err := parseCSV(strings.NewReader(text), OpenUntilLast, 2); err != nil || parsed.Len() != 2 {
		t.Errorf("2 rows of 2 allowed: %v", err)
	}
	parsed, err := parseCSV(strings.NewReader(text+"c,t,1,2\n"), OpenUntilLast, 2)
	if jobmon.ErrorCode(err) != jobmon.CodeTooLarge || parsed != nil {
		t.Errorf("3 rows of 2 allowed: %v", err)
	}
	if err != nil && !strings.HasPrefix(err.Error(), "line 6: a CSV file may have at most 2 rows; ") {
		t.Errorf("error %q does not name line 6", err)
	}
}
