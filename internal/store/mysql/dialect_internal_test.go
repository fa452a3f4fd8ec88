package mysql

import (
	"testing"

	"tasktide/internal/jobmon"
)

// Where the server's number says only that a file or an engine failed, the number in the text says why.
func TestNumbersInTheText(t *testing.T) {
	for text, want := range map[string]jobmon.Cause{
		`Error 1030 (HY000): Got error 28 "No space left on device" from storage engine InnoDB`:                  jobmon.CauseDiskFull,
		`Error 1030 (HY000): Got error 126 "Index file is crashed" from storage engine Aria`:                     jobmon.CauseCorrupt,
		`Error 1030 (HY000): Got error 168 "Unknown (generic) error" from storage engine`:                        "",
		`Error 1026 (HY000): Error writing file './x/y' (errno: 28 "No space left on device")`:                   jobmon.CauseDiskFull,
		`Error 3 (HY000): Error writing file '/tmp/MYfd' (Errcode: 28 "No space left on device")`:                jobmon.CauseDiskFull,
		`Error 1005 (HY000): Can't create table x.y (errno: 30 "Read-only file system")`:                         jobmon.CauseReadOnly,
		`Error 1004 (HY000): Can't create file 'x' (errno: 13 "Permission denied")`:                              jobmon.CausePermission,
		`Error 1024 (HY000): Error reading file 'x' (errno: 5 "Input/output error")`:                             jobmon.CauseIO,
		`Error 1005 (HY000): Can't create table x.y (errno: 150 "Foreign key constraint is incorrectly formed")`: "",
		`Error 1024 (HY000): Error reading file 'x'`:                                                             "",
	} {
		if got := causeOf(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
