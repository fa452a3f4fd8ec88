package jobmon_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"tasktide/internal/jobmon"
)

func TestErrorCode(t *testing.T) {
	conflict := jobmon.Errorf(jobmon.CodeConflict, "task %d is done", 7)
	for _, example := range []struct {
		err  error
		want jobmon.Code
	}{
		{nil, ""},
		{io.EOF, jobmon.CodeInternal},
		{conflict, jobmon.CodeConflict},
		{fmt.Errorf("moving tasks: %w", conflict), jobmon.CodeConflict},
		{errors.Join(io.EOF, conflict), jobmon.CodeConflict},
		{jobmon.Errorf(jobmon.CodeUnavailable, "try later: %w", conflict), jobmon.CodeUnavailable},
		{jobmon.FieldErrorf("limit", "use 1 to 200"), jobmon.CodeInvalid},
	} {
		if got := jobmon.ErrorCode(example.err); got != example.want {
			t.Errorf("%v: code %q, want %q", example.err, got, example.want)
		}
	}
}

func TestErrorKeepsItsCause(t *testing.T) {
	err := jobmon.Errorf(jobmon.CodeUnavailable, "the database does not answer: %w", io.EOF)
	if err.Error() != "the database does not answer: EOF" || !errors.Is(err, io.EOF) {
		t.Errorf("%v, wraps EOF: %t", err, errors.Is(err, io.EOF))
	}
	plain := jobmon.Errorf(jobmon.CodeNotFound, "workflow %d does not exist", 3)
	if plain.Error() != "workflow 3 does not exist" || errors.Unwrap(plain) != nil {
		t.Errorf("%v wraps %v", plain, errors.Unwrap(plain))
	}
	field := jobmon.FieldErrorf("end", "the window ends before it begins at %s", "12:00")
	if field.Field != "end" || field.Error() != "the window ends before it begins at 12:00" {
		t.Errorf("field %q: %v", field.Field, field)
	}
}
