package testdb

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

// TestMigrations tests that the schema reaches the newest version from every earlier one, whoever else
// migrates at the same time, and from the middle of a migration where the database cannot undo one. files
// holds the migrations of the kind.
func (k Kind) TestMigrations(t *testing.T, files fs.FS) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("migrations %v, %v", names, err)
	}
	slices.Sort(names)
	fresh := k.empty(t)
	k.migrateTo(t, fresh, 0, int64(len(names)))
	want := k.schema(t, fresh)
	var before []string
	for version, name := range names {
		statements := statementsOf(t, files, name)
		most := 0
		if k == MariaDB || k == MySQL {
			most = len(statements)
		}
		for done := 0; done <= most; done++ {
			t.Run(fmt.Sprintf("from version %d and %d statements", version, done), func(t *testing.T) {
				url := k.empty(t)
				if version+done > 0 {
					k.execute(t, url, "CREATE TABLE schema_version (version INTEGER PRIMARY KEY NOT NULL)")
				}
				k.execute(t, url, slices.Concat(before, statements[:done])...)
				k.migrateTo(t, url, int64(version), int64(len(names)))
				if difference := cmp.Diff(want, k.schema(t, url)); difference != "" {
					t.Errorf("the schema differs from a new one's:\n%s", difference)
				}
			})
		}
		before = slices.Concat(before, statements, []string{fmt.Sprintf("INSERT INTO schema_version (version) VALUES (%d)", version+1)})
	}
	t.Run("marked rows", func(t *testing.T) { k.testMarkedRows(t, files, names) })
	t.Run("attempts", func(t *testing.T) { k.testAttempts(t, statementsOf(t, files, names[versionOf(t, names, attempts)])) })
	t.Run("retention's clock", func(t *testing.T) { k.testRetentionClock(t, files, names) })
	t.Run("incomplete imports", func(t *testing.T) {
		k.testIncomplete(t, statementsOf(t, files, names[versionOf(t, names, incompleteImports)]))
	})
	t.Run("many at once", func(t *testing.T) { k.testManyMigrate(t, want) })
	t.Run("what is refused", k.testRefusedSchemas)
}

func (k Kind) open(t *testing.T, url string) *sqlstore.Store {
	t.Helper()
	opened, err := k.OpenURL(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Error(err)
		}
	})
	return opened
}

func (k Kind) migrateTo(t *testing.T, url string, from, to int64) {
	t.Helper()
	opened := k.open(t, url)
	checks := []func(context.Context) error{opened.CheckSchema, opened.CheckReady}
	for _, check := range checks {
		err := check(t.Context())
		if jobmon.ErrorCode(err) != jobmon.CodeConflict || !strings.Contains(err.Error(), "tasktide migrate") {
			t.Errorf("before: %v", err)
		}
	}
	before, after, err := opened.Migrate(t.Context())
	if err != nil || before != from || after != to {
		t.Errorf("migrated from %d to %d, %v; want %d to %d", before, after, err, from, to)
	}
	for _, check := range checks {
		if err := check(t.Context()); err != nil {
			t.Errorf("after: %v", err)
		}
	}
}

// testManyMigrate has many open the same new database at once and keep it open: the last to come must
// find the lock free.
func (k Kind) testManyMigrate(t *testing.T, want []string) {
	t.Helper()
	url := k.empty(t)
	failures := make(chan error)
	for range 8 {
		go func() {
			opened, err := k.OpenURL(t.Context(), url)
			if err == nil {
				t.Cleanup(func() { opened.Close() })
				_, _, err = opened.Migrate(t.Context())
			}
			failures <- err
		}()
	}
	for range 8 {
		if err := <-failures; err != nil {
			t.Error(err)
		}
	}
	if _, _, err := k.open(t, url).Migrate(t.Context()); err != nil {
		t.Errorf("with the others still there: %v", err)
	}
	if difference := cmp.Diff(want, k.schema(t, url)); difference != "" {
		t.Errorf("the schema differs from a new one's:\n%s", difference)
	}
}

func (k Kind) testRefusedSchemas(t *testing.T) {
	for _, c := range []struct {
		name, statement string
		migrated        bool
		code            jobmon.Code
		says            string
	}{
		{"newer", "INSERT INTO schema_version (version) VALUES (999)", true, jobmon.CodeConflict, "schema version 999"},
		{
			"a version that cannot be read", "CREATE TABLE schema_version (song INTEGER)", false, jobmon.CodeInternal, "cannot be opened",
		},
		{"another program's", "CREATE TABLE song (title VARCHAR(20))", false, jobmon.CodeInvalid, "another program"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := k.empty(t)
			if c.migrated {
				url = k.URL(t)
			}
			k.execute(t, url, c.statement)
			before := k.schema(t, url)
			opened, err := k.OpenURL(t.Context(), url)
			if err == nil {
				defer opened.Close()
				checked := opened.CheckSchema(t.Context())
				_, _, err = opened.Migrate(t.Context())
				if checked == nil || err == nil || checked.Error() != err.Error() {
					t.Errorf("checking says %v, migrating %v", checked, err)
				}
			}
			Says(t, err, c.code, c.says, password)
			if difference := cmp.Diff(before, k.schema(t, url)); difference != "" {
				t.Errorf("it was changed:\n%s", difference)
			}
		})
	}
}

// empty returns the address of a database without tables.
func (k Kind) empty(t *testing.T) string {
	t.Helper()
	if k == SQLite {
		return "sqlite://" + filepath.Join(t.TempDir(), "empty.db")
	}
	server := k.Server(t)
	name, err := server.Empty(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server.dropAfter(t, name)
	return server.URL(name)
}

// connect opens a database past the store.
func (k Kind) connect(t *testing.T, url string) *sql.DB {
	t.Helper()
	var db *sql.DB
	var err error
	if k == SQLite {
		db, err = sql.Open("sqlite", strings.TrimPrefix(url, "sqlite://"))
	} else {
		db, err = k.Server(t).Connect(url[strings.LastIndex(url, "/")+1:])
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	db.SetMaxOpenConns(1)
	return db
}

// execute runs SQL on a database past the store, in one session with the settings of ours.
func (k Kind) execute(t *testing.T, url string, statements ...string) {
	t.Helper()
	db := k.connect(t, url)
	if k == MariaDB || k == MySQL {
		statements = append([]string{"SET SESSION sql_mode = 'ANSI_QUOTES', default_storage_engine = InnoDB"}, statements...)
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%v in %s", err, statement)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// schema describes all of a database's tables, with the number of rows in each.
func (k Kind) schema(t *testing.T, url string) (lines []string) {
	t.Helper()
	db := k.connect(t, url)
	defer db.Close()
	query := func(text string) (values []string) {
		rows, err := db.QueryContext(t.Context(), text)
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var value string
			if err := rows.Scan(&value); err != nil {
				t.Fatal(err)
			}
			values = append(values, value)
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return values
	}
	var tables []string
	switch k {
	case SQLite:
		tables = query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
		lines = query("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
	case PostgreSQL:
		tables = query("SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1")
		lines = query(`
			SELECT concat_ws(' ', table_name, column_name, data_type, collation_name, is_nullable, column_default, identity_generation)
			FROM information_schema.columns WHERE table_schema = 'public'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
			UNION ALL SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
				WHERE connamespace = 'public'::regnamespace
			ORDER BY 1`)
	default:
		tables = query("SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1")
		for _, table := range tables {
			var name, create string
			if err := db.QueryRowContext(t.Context(), "SHOW CREATE TABLE `"+table+"`").Scan(&name, &create); err != nil {
				t.Fatal(err)
			}
			lines = append(lines, create)
		}
	}
	quote := map[bool]string{true: "`", false: `"`}[k == MariaDB || k == MySQL]
	for _, table := range tables {
		rows := query("SELECT COUNT(*) FROM " + quote + table + quote)
		lines = append(lines, table+": "+rows[0])
	}
	return lines
}
