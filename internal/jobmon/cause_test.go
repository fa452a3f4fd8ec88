package jobmon_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
)

// Each cause says what is wrong, then what to do, and no two say the same.
func TestEachCauseHasASentenceOfItsOwn(t *testing.T) {
	for _, file := range []bool{false, true} {
		said := map[string]jobmon.Cause{}
		for _, cause := range jobmon.Causes() {
			sentence := cause.Sentence(jobmon.Database{Name: "the database x", File: file})
			problem, remedy, both := strings.Cut(sentence, "; ")
			if !both || !strings.HasPrefix(problem, "the database x ") || remedy == "" || strings.HasSuffix(sentence, ".") {
				t.Errorf("%s: %q", cause, sentence)
			}
			if other, taken := said[problem]; taken {
				t.Errorf("%s says the same as %s: %q", cause, other, problem)
			}
			said[problem] = cause
		}
	}
	if sentence := jobmon.Cause("").Sentence(jobmon.Database{Name: "x"}); sentence != "" {
		t.Errorf("no cause says %q", sentence)
	}
}

func TestErrorCause(t *testing.T) {
	full := &jobmon.Error{Code: jobmon.CodeUnavailable, Cause: jobmon.CauseDiskFull, Message: "full", Err: io.EOF}
	plain := jobmon.Errorf(jobmon.CodeConflict, "it is there")
	for _, example := range []struct {
		err  error
		want jobmon.Cause
	}{
		{nil, ""},
		{io.EOF, ""},
		{plain, ""},
		{full, jobmon.CauseDiskFull},
		{fmt.Errorf("moving: %w", full), jobmon.CauseDiskFull},
		{errors.Join(io.EOF, plain, full), jobmon.CauseDiskFull},
		{jobmon.Errorf(jobmon.CodeUnavailable, "later: %w", full), jobmon.CauseDiskFull},
	} {
		if got := jobmon.ErrorCause(example.err); got != example.want {
			t.Errorf("%v: cause %q, want %q", example.err, got, example.want)
		}
	}
}
