package jobmon_test

import (
	"strings"
	"testing"

	"tasktide/internal/jobmon"
)

func TestHistoryCheck(t *testing.T) {
	for _, example := range []struct {
		path  string
		at    []int64
		wrong string // part of the message; empty when the history is sound
	}{
		{"G", []int64{5}, ""},
		{"GQIORD", []int64{-1, 0, 2, 2, 2, 9}, ""},
		{"GQIOREGQIORD", []int64{0, 1, 2, 3, 4, 5, 5, 5, 6, 7, 8, 9}, ""},
		{"GQIEAQIREF", []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, ""},
		{"GD", []int64{0, 1}, ""},
		{"GQIR", []int64{0, 1, 2, 3}, ""},
		{"", nil, "does not begin with REGISTERING"},
		{"QI", []int64{0, 1}, "does not begin with REGISTERING"},
		{"GR", []int64{0, 1}, "cannot go from REGISTERING to RUNNING"},
		{"GQD", []int64{0, 1, 2}, "cannot go from QUEUED to DONE"},
		{"GQIRDG", []int64{0, 1, 2, 3, 4, 5}, "cannot go from DONE to REGISTERING"},
		{"GQIRG", []int64{0, 1, 2, 3, 4}, "cannot go from RUNNING to REGISTERING"},
		{"GQIR", []int64{0, 1, 3, 2}, "enters RUNNING before it entered INSTANTIATING"},
		{"GQIRE", []int64{0, 1, 2, 3, 4}, "ends in ERROR_RECOVERABLE"},
	} {
		history := jobmon.TaskHistory{Name: "align (7)"}
		for i, at := range example.at {
			history.Moves = append(history.Moves, jobmon.Move{To: jobmon.TaskStatus(example.path[i]), At: at})
		}
		err := history.Check()
		switch {
		case example.wrong == "":
			if err != nil {
				t.Errorf("%s: %v", example.path, err)
			}
		case jobmon.ErrorCode(err) != jobmon.CodeInvalid:
			t.Errorf("%s: %v, code %q", example.path, err, jobmon.ErrorCode(err))
		case !strings.Contains(err.Error(), example.wrong) || !strings.Contains(err.Error(), `"align (7)"`):
			t.Errorf("%s: %q does not say %q and which task", example.path, err, example.wrong)
		}
	}
}
