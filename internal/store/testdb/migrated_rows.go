package testdb

import (
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// These end the names of the migrations that bring marks and horizons, and that say which attempt rows belong to.
const (
	concurrencyCells = "_concurrency_cells.sql"
	attempts         = "_attempts.sql"
	// incompleteImports ends the name of the one that corrects the status of imported runs.
	incompleteImports = "_incomplete_imports.sql"
)

func versionOf(t *testing.T, names []string, end string) int {
	t.Helper()
	version := slices.IndexFunc(names, func(name string) bool { return strings.HasSuffix(name, end) })
	if version < 0 {
		t.Fatalf("there is no %s among %v", end, names)
	}
	return version
}

const (
	second = int64(1_000_000)
	minute = 60 * second
	hour   = 60 * minute
	// lastInstant is the last that every database can store.
	lastInstant = 253_402_300_799_999_999
)

// sharp is the first instant of an hour; most of the rows of [Kind.testMarkedRows] lie about it.
var sharp = time.Date(2024, time.March, 31, 2, 0, 0, 0, time.UTC).UnixMicro()

// oldRows are audit rows of workflows, with the first instants of the minutes in which they lie.
var oldRows = []struct{ workflowID, at, minute int64 }{
	{1, sharp, sharp},
	{1, sharp - 1, sharp - minute},
	{1, sharp + 1, sharp},
	{1, sharp + minute - 1, sharp},
	{1, sharp + minute, sharp + minute},
	{1, sharp + 5*minute - 1, sharp + 4*minute},
	{1, sharp + 3*hour - 500, sharp + 3*hour - minute},
	{1, sharp + 6*hour - second/2, sharp + 6*hour - minute},
	{2, sharp + minute - 1, sharp},
	{2, sharp + 100_000*hour - 1, sharp + 100_000*hour - minute},
	{3, 1, 0},
	{3, lastInstant, lastInstant - minute + 1},
}

// testMarkedRows tests what becomes of rows that are older than the marks, also when the migration was begun
// before, as far as all of its statements, and not written down.
func (k Kind) testMarkedRows(t *testing.T, files fs.FS, names []string) {
	t.Helper()
	version := versionOf(t, names, concurrencyCells)
	for begun := range 2 { // how often
		if begun > 0 && k != MariaDB && k != MySQL {
			continue // what they begin they undo
		}
		t.Run(fmt.Sprintf("begun %d times before", begun), func(t *testing.T) {
			url := k.empty(t)
			k.execute(t, url, "CREATE TABLE schema_version (version INTEGER PRIMARY KEY NOT NULL)")
			var before []string
			for i, name := range names[:version] {
				before = append(before, statementsOf(t, files, name)...)
				before = append(before, fmt.Sprintf("INSERT INTO schema_version (version) VALUES (%d)", i+1))
			}
			before = append(before, k.oldRows()...)
			for range begun {
				before = append(before, statementsOf(t, files, names[version])...)
			}
			k.execute(t, url, before...)
			k.migrateTo(t, url, int64(version), int64(len(names)))
			k.compareMarks(t, url, 2+begun) // the one that tells of attempts marks them again
		})
	}
}

func statementsOf(t *testing.T, files fs.FS, name string) (statements []string) {
	t.Helper()
	content, err := fs.ReadFile(files, name)
	if err != nil {
		t.Fatal(err)
	}
	for statement := range strings.SplitSeq(string(content), ";\n") {
		if strings.TrimSpace(statement) != "" {
			statements = append(statements, statement)
		}
	}
	return statements
}

// oldRows returns statements that store four workflows, of which all but the first were loaded, the last one
// not to its end, and the rows of three of them.
func (k Kind) oldRows() []string {
	statements := []string{
		"INSERT INTO tool (id, name) VALUES (1, 'tool')",
		"INSERT INTO tool_version (id, tool_id) VALUES (1, 1)",
		"INSERT INTO dag (id, hash) VALUES (1, 'dag')",
	}
	for id := 1; id <= 4; id++ {
		statements = append(statements, fmt.Sprintf(`
			INSERT INTO workflow (id, tool_version_id, dag_id, workflow_args_hash, task_hash, description, name, workflow_args,
				max_concurrently_running, status_date, status) VALUES (%d, 1, 1, '%d', '', '', '', '', 1, %s, 'D')`, id, id, k.instant(sharp)))
	}
	for id, published := range map[int]string{2: k.instant(sharp), 3: k.instant(sharp), 4: "NULL"} {
		statements = append(statements, fmt.Sprintf(`
			INSERT INTO workflow_import (workflow_id, name, engine, source_hash, staged_tasks, staged_at, published_at)
			VALUES (%d, 'run %d', '', '', 0, %s, %s)`, id, id, k.instant(sharp), published))
	}
	for i, row := range oldRows {
		for range 2 { // the minute is marked once for both
			at := k.instant(row.at)
			statements = append(statements, fmt.Sprintf(`
				INSERT INTO task_status_audit (task_id, workflow_id, task_template_id, new_status, changed_at, stored_at)
				VALUES (%d, %d, 1, 'G', %s, %s)`, i, row.workflowID, at, at))
		}
	}
	return statements
}

// compareMarks demands marks for exactly the minutes of the rows, each one or several times, and a horizon
// that keeps each run that was loaded.
func (k Kind) compareMarks(t *testing.T, url string, times int) {
	t.Helper()
	db := k.connect(t, url)
	defer db.Close()
	type mark struct{ workflowID, minute int64 }
	want := map[mark]int{}
	for _, row := range oldRows {
		want[mark{row.workflowID, row.minute}] = times
	}
	rows, err := db.QueryContext(t.Context(), "SELECT workflow_id, minute FROM concurrency_mark")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	got := map[mark]int{}
	for rows.Next() {
		var m mark
		if err := rows.Scan(&m.workflowID, &m.minute); err != nil {
			t.Fatal(err)
		}
		m.minute *= minute
		got[m]++
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if !maps.Equal(got, want) {
		t.Errorf("marks %v, want %v", got, want)
	}
	none := k.instant(0)
	for what, c := range map[string]struct {
		query string
		want  int
	}{
		"in all": {"SELECT COUNT(*) FROM workflow_horizon", 3},
		"of runs that were loaded": {`
			SELECT COUNT(*) FROM workflow_horizon WHERE workflow_id IN (2, 3, 4) AND kept = 1 AND generation = 0
				AND rows_from = ` + none + " AND data_from = " + none + " AND first_at IS NULL AND last_at IS NULL", 3},
	} {
		var n int
		if err := db.QueryRowContext(t.Context(), c.query).Scan(&n); err != nil || n != c.want {
			t.Errorf("horizons %s: %d, %v; want %d", what, n, err, c.want)
		}
	}
}

// instant writes an instant as the database's tables have it.
func (k Kind) instant(at int64) string {
	text := time.UnixMicro(at).UTC().Format("2006-01-02 15:04:05.000000")
	switch k {
	case SQLite:
		return fmt.Sprint(at)
	case PostgreSQL:
		return "TIMESTAMP WITH TIME ZONE '" + text + "+00'"
	default:
		return "'" + text + "'"
	}
}
