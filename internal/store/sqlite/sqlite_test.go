package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
	"tasktide/internal/store/sqlite"
	"tasktide/internal/store/sqlstore"
	"tasktide/internal/store/storetest"
	"tasktide/internal/store/testdb"
)

// childURL tells a copy of the test's program to be another process on the same database.
const childURL = "TASKTIDE_TEST_CHILD_URL"

func TestMain(m *testing.M) {
	if url := os.Getenv(childURL); url != "" {
		if err := useStore(context.Background(), url, 20); err != nil {
			fmt.Fprintln(os.Stdout, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		return testdb.SQLite.Open(t)
	})
}

func open(t *testing.T, url string) store.Store {
	t.Helper()
	s, err := openMigrated(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openMigrated(ctx context.Context, url string) (*sqlstore.Store, error) {
	s, err := sqlite.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	if _, _, err := s.Migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// useStore opens a store, registers tools and closes it.
func useStore(ctx context.Context, url string, tools int) error {
	s, err := openMigrated(ctx, url)
	if err != nil {
		return err
	}
	for i := range tools {
		if _, err := s.RegisterTool(ctx, fmt.Sprint(i)); err != nil {
			return err
		}
	}
	return s.Close()
}

func TestURLs(t *testing.T) {
	folder := t.TempDir()
	t.Chdir(folder)
	if err := os.Mkdir("sub folder", 0o700); err != nil {
		t.Fatal(err)
	}
	for url, file := range map[string]string{
		"sqlite://relative.db":                      "relative.db",
		"sqlite://" + folder + "/absolute.db":       "absolute.db",
		"sqlite://sub folder/a b.db":                "sub folder/a b.db",
		"sqlite://sub%20folder/100%25%3F.db":        "sub folder/100%?.db",
		"sqlite://./dot.db":                         "dot.db",
		"sqlite://sub folder/../hash#ü&mode=ro.db":  "hash#ü&mode=ro.db",
		"sqlite://file:x.db":                        "file:x.db",
		"sqlite://" + folder + "/no-extension+plus": "no-extension+plus",
	} {
		if err := useStore(t.Context(), url, 1); err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if info, err := os.Stat(file); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the file %s: %v, %v", url, file, info, err)
		}
		if err := useStore(t.Context(), url, 1); err != nil {
			t.Errorf("%s, again: %v", url, err)
		}
	}
}

// execute runs SQL on a file past the store.
func execute(t *testing.T, file string, statements ...string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func TestWhatCannotBeOpened(t *testing.T) {
	folder := t.TempDir()
	file := func(name string) string { return filepath.Join(folder, name) }
	if err := os.WriteFile(file("text"), []byte(strings.Repeat("not a database\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	execute(t, file("foreign"), "CREATE TABLE song (title TEXT)")
	if err := useStore(t.Context(), "sqlite://"+file("newer"), 0); err != nil {
		t.Fatal(err)
	}
	execute(t, file("newer"), "INSERT INTO schema_version (version) VALUES (999)")
	execute(t, file("locked"), "BEGIN EXCLUSIVE")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name, url string
		code      jobmon.Code
		says      string
	}{
		{"scheme", "postgres://x", jobmon.CodeInvalid, "does not begin with sqlite://"},
		{"nothing", "", jobmon.CodeInvalid, "does not begin with sqlite://"},
		{"no file", "sqlite://", jobmon.CodeInvalid, "names no file"},
		{"folder by name", "sqlite://" + folder + "/", jobmon.CodeInvalid, "names no file"},
		{"folder", "sqlite://" + folder, jobmon.CodeInvalid, "is not a file"},
		{"parameters", "sqlite://" + file("x") + "?mode=ro", jobmon.CodeInvalid, "%3F"},
		{"percent", "sqlite://" + file("100%.db"), jobmon.CodeInvalid, "%25"},
		{"NUL", "sqlite://" + file("%00"), jobmon.CodeInvalid, "NUL"},
		{"memory", "sqlite://:memory:", jobmon.CodeInvalid, "name a file"},
		{"no folder", "sqlite://" + file("none/x.db"), jobmon.CodeInvalid, "there is no folder " + file("none")},
		{"file as folder", "sqlite://" + file("text/x.db"), jobmon.CodeInvalid, "there is no folder"},
		{"not a database", "sqlite://" + file("text"), jobmon.CodeInvalid, "not a SQLite database"},
		{"another program's", "sqlite://" + file("foreign"), jobmon.CodeInvalid, "belongs to another program"},
		{"newer schema", "sqlite://" + file("newer"), jobmon.CodeConflict, "schema version 999"},
		{"locked", "sqlite://" + file("locked"), jobmon.CodeUnavailable, "locked by another process"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := openMigrated(t.Context(), c.url)
			if err == nil {
				t.Fatal("opened", s.Close())
			}
			if jobmon.ErrorCode(err) != c.code || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v; want %s and %q", jobmon.ErrorCode(err), err, c.code, c.says)
			}
		})
	}
	t.Run("no time", func(t *testing.T) {
		if _, err := sqlite.Open(ended, "sqlite://"+file("x.db")); jobmon.ErrorCode(err) != jobmon.CodeUnavailable {
			t.Errorf("%v", err)
		}
	})
	t.Run("no permission", func(t *testing.T) {
		if os.Geteuid() == 0 {
			testAsNobody(t, "^TestWhatCannotBeOpened$/^no_permission$")
			return
		}
		if err := os.WriteFile(file("mine"), nil, 0o400); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(t.Context(), "sqlite://"+file("mine"))
		if jobmon.ErrorCause(err) != jobmon.CauseReadOnly || !strings.Contains(err.Error(), "is read-only") {
			t.Errorf("%v", err)
		}
	})
}

// testAsNobody runs a test of this program again as another user than root, who may write everywhere.
func testAsNobody(t *testing.T, test string) {
	t.Helper()
	folder, err := os.MkdirTemp("", "tasktide-nobody-") //nolint:usetesting // only root may enter t.TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	// The program lies in a folder of root's too, which this link leads past.
	again := exec.Command("/proc/self/exe", "-test.v", "-test.run", test)
	if again.SysProcAttr, err = testdb.Unprivileged(); err != nil {
		t.Fatal(err)
	}
	again.Dir, again.Env = folder, append(os.Environ(), "TMPDIR="+folder)
	output, err := again.CombinedOutput()
	if passed := strings.Count(string(output), "--- PASS: "); err != nil || passed != 2 {
		t.Errorf("as nobody, %d of the test and its part passed, and it ended with %v:\n%s", passed, err, output)
	}
}

// What Open may never do to a file that is not its own.
func TestAForeignDatabaseStaysAsItIs(t *testing.T) {
	file := filepath.Join(t.TempDir(), "foreign")
	execute(t, file, "CREATE TABLE song (title TEXT)").Close()
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := useStore(t.Context(), "sqlite://"+file, 1); err == nil {
		t.Fatal("opened")
	}
	if after, err := os.ReadFile(file); err != nil || string(after) != string(before) {
		t.Errorf("it was changed, %v", err)
	}
}

func TestManyOpenAtOnce(t *testing.T) {
	url := "sqlite://" + filepath.Join(t.TempDir(), "x.db")
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	failures := make(chan error)
	for range 4 {
		go func() { failures <- useStore(t.Context(), url, 20) }()
		go func() {
			child := exec.CommandContext(t.Context(), program)
			child.Env = append(os.Environ(), childURL+"="+url)
			output, err := child.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("another process: %w: %s", err, output)
			}
			failures <- err
		}()
	}
	for range 8 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	s := open(t, url)
	defer s.Close()
	tool, err := s.RegisterTool(t.Context(), "last")
	if err != nil || tool.ID != 21 {
		t.Errorf("after 20 tools comes %+v, %v", tool, err)
	}
}

func TestTheFileIsInWALMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	s := open(t, "sqlite://"+file)
	defer s.Close()
	var mode string
	if err := execute(t, file).QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode); err != nil || mode != "wal" {
		t.Errorf("journal mode %s, %v", mode, err)
	}
}

// Another process's transaction makes ours wait, not fail.
func TestAWriterWaitsForAnotherProcess(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.db")
	s := open(t, "sqlite://"+file)
	defer s.Close()
	other := execute(t, file, "BEGIN IMMEDIATE", "INSERT INTO tool (name) VALUES ('theirs')")
	answer := make(chan store.Tool)
	go func() {
		tool, err := s.RegisterTool(t.Context(), "ours")
		if err != nil {
			t.Error(err)
		}
		answer <- tool
	}()
	if _, err := other.ExecContext(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	<-answer
	for _, name := range []string{"theirs", "ours"} {
		if tool, err := s.RegisterTool(t.Context(), name); err != nil || tool.ID > 2 {
			t.Errorf("%s: %+v, %v", name, tool, err)
		}
	}
}

func TestMigrations(t *testing.T) { testdb.SQLite.TestMigrations(t, os.DirFS("migrations")) }

// What a database of the first version holds is there after its migration, and ids go on where they were.
func TestTheFirstVersionKeepsItsRows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "old.db")
	first, err := os.ReadFile("migrations/0001_initial.sql")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, file, string(first), "CREATE TABLE schema_version (version INTEGER PRIMARY KEY NOT NULL)", `
		INSERT INTO schema_version (version) VALUES (1);
		INSERT INTO tool (id, name) VALUES (1, 'tool');
		INSERT INTO tool_version (id, tool_id) VALUES (1, 1);
		INSERT INTO task_template (id, tool_version_id, name) VALUES (7, 1, 'a'), (8, 1, 'b');
		INSERT INTO task_template_version (id, task_template_id, command_template, arg_mapping_hash) VALUES (1, 8, '', ''), (2, 7, '', '');
		INSERT INTO node (id, task_template_version_id, node_args_hash) VALUES (1, 1, ''), (2, 2, '');
		INSERT INTO dag (id, hash) VALUES (1, '');
		INSERT INTO workflow VALUES (1, 1, 1, '', '', '', 'old', '', 10, NULL, 1, 'G');
		INSERT INTO "array" VALUES (1, '', 1, 1, 10, 1), (2, '', 2, 1, 10, 1);
		INSERT INTO task VALUES (3, 1, 1, '', 1, 'x', '', NULL, 1, 3, '', '', 'Q', 20), (4, 1, 2, '', 2, 'y', '', NULL, 0, 3, '', '', 'G', 10);
		INSERT INTO task_status_audit VALUES (5, 3, 1, 8, NULL, 'G', 10, NULL, 10), (6, 4, 1, 7, NULL, 'G', 10, NULL, 10),
			(9, 3, 1, 8, 'G', 'Q', 20, 10, 20), (100, 4, 1, 7, 'G', 'Q', 30, 10, 30);
		DELETE FROM task_status_audit WHERE id = 100`).Close()
	s := open(t, "sqlite://"+file)
	defer s.Close()
	err = s.Update(t.Context(), func(ctx context.Context, tx store.Tx) error {
		tasks, err := tx.LockTasks(ctx, store.TaskFilter{WorkflowID: 1})
		if err != nil || len(tasks) != 2 || tasks[0].TaskTemplateID != 8 || tasks[1].TaskTemplateID != 7 || tasks[0].StatusAt != 20 {
			t.Errorf("tasks %+v, %v", tasks, err)
		}
		return tx.MoveTasks(ctx, store.TaskMove{IDs: []int64{3, 4}, To: jobmon.TaskInstantiating, At: 40})
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []jobmon.Transition{
		{ID: 5, TaskID: 3, WorkflowID: 1, TaskTemplateID: 8, To: 'G', At: 10},
		{ID: 6, TaskID: 4, WorkflowID: 1, TaskTemplateID: 7, To: 'G', At: 10},
		{ID: 9, TaskID: 3, WorkflowID: 1, TaskTemplateID: 8, From: 'G', To: 'Q', At: 20, PreviousAt: 10},
		{ID: 101, TaskID: 3, WorkflowID: 1, TaskTemplateID: 8, From: 'Q', To: 'I', At: 40, PreviousAt: 20},
		{ID: 102, TaskID: 4, WorkflowID: 1, TaskTemplateID: 7, From: 'G', To: 'I', At: 40, PreviousAt: 10},
	}
	err = s.View(t.Context(), func(ctx context.Context, view store.Snapshot) error {
		var got []jobmon.Transition
		for row, err := range view.Transitions(ctx, store.TransitionFilter{WorkflowID: 1, Before: store.MaxInstant}) {
			if err != nil {
				return err
			}
			got = append(got, row)
		}
		if !slices.Equal(got, want) {
			t.Errorf("rows %+v", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
