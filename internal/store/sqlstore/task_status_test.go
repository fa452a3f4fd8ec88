package sqlstore_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// writesTask finds SQL that adds rows to the table task, changes or removes them.
var writesTask = regexp.MustCompile(`(?is)\b(INSERT\s+(OR\s+\w+\s+|IGNORE\s+)?INTO|REPLACE\s+INTO|UPDATE)\s+"?task"?[\s(]`)

// setsStatus finds, in an UPDATE of that table, the status among what is set.
var setsStatus = regexp.MustCompile(`(?is)UPDATE\s+"?task"?\s+SET\s+([^"` + "`" + `]*\bstatus\s*=|"|` + "`" + `)`)

// Coverage of the audit is complete by construction: one file writes task.status, and it writes the
// audit row beside it.
func TestTaskStatusIsWrittenInOnePlace(t *testing.T) {
	root := filepath.Join("..", "..", "..")
	var writers []string
	for _, folder := range []string{"cmd", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				if os.IsNotExist(err) && path == filepath.Join(root, folder) {
					return nil
				}
				return err
			}
			if entry.IsDir() || strings.HasSuffix(path, "_test.go") || !strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, ".sql") {
				return nil
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, statement := range writesTask.FindAllIndex(text, -1) {
				rest := text[statement[0]:]
				if strings.HasPrefix(strings.ToUpper(string(rest)), "UPDATE") && !setsStatus.Match(rest[:min(len(rest), 300)]) {
					continue
				}
				name, err := filepath.Rel(root, path)
				if err != nil {
					return err
				}
				writers = append(writers, filepath.ToSlash(name))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	const only = "internal/store/sqlstore/task_status.go"
	if len(writers) != 2 {
		t.Errorf("%d statements write task.status, want one that inserts and one that moves: %v", len(writers), writers)
	}
	for _, name := range writers {
		if name != only {
			t.Errorf("%s writes task.status; only %s may, together with the audit", name, only)
		}
	}
}

func TestWhatWritesTaskStatus(t *testing.T) {
	for statement, want := range map[string]bool{
		"INSERT INTO task (id": true, "insert or ignore into task(": true, "REPLACE INTO task ": true,
		"UPDATE task SET name = ?, status = 'D' WHERE": true, "UPDATE task SET \" + set": true,
		"UPDATE \"task\"\n SET status = ?":      true,
		"UPDATE task SET name = ? WHERE id = ?": false, "UPDATE task_instance SET status = ?": false,
		"INSERT INTO task_status_audit (": false, "UPDATE workflow SET status = ?": false,
	} {
		text := writesTask.FindString(statement)
		got := text != "" && (!strings.HasPrefix(strings.ToUpper(text), "UPDATE") || setsStatus.MatchString(statement))
		if got != want {
			t.Errorf("%s: %t", statement, got)
		}
	}
}
