package sqlite

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestPreparedStatements runs a statement while what it found before is still being read, and while so many
// others and so long a one come in between that all that are kept are dropped.
func TestPreparedStatements(t *testing.T) {
	db := sql.OpenDB(connector{dsn(filepath.Join(t.TempDir(), "tasks.db"), false)})
	defer db.Close()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // nothing is kept
	exec := func(query string, args ...any) {
		t.Helper()
		if _, err := tx.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatalf("%.60s: %v", query, err)
		}
	}
	sum := func(query string, args ...any) (total int64) {
		t.Helper()
		if err := tx.QueryRowContext(t.Context(), query, args...).Scan(&total); err != nil {
			t.Fatalf("%.60s: %v", query, err)
		}
		return total
	}
	exec("CREATE TABLE number (n INTEGER)")
	for n := range 3 * maxPrepared {
		exec("INSERT INTO number (n) VALUES (?)", n)
	}

	const upTo = "SELECT n FROM number WHERE n < ? ORDER BY n"
	rows, err := tx.QueryContext(t.Context(), upTo, 3*maxPrepared)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	want := int64(0)
	for ; rows.Next(); want++ {
		var n int64
		if err := rows.Scan(&n); err != nil || n != want {
			t.Fatalf("the row is %d, %v, not %d", n, err, want)
		}
		if total := sum("SELECT SUM(n) FROM ("+upTo+")", n+1); total != n*(n+1)/2 {
			t.Fatalf("up to %d, the sum is %d", n, total)
		}
		if first := sum(upTo, n+1); first != 0 {
			t.Fatalf("the first is %d", first)
		}
		if same := sum(fmt.Sprintf("SELECT %d", n)); same != n {
			t.Fatalf("%d is %d", n, same)
		}
	}
	if err := rows.Err(); err != nil || want != 3*maxPrepared {
		t.Fatalf("%d rows, %v", want, err)
	}
	if long := sum("SELECT " + strings.Repeat(" ", maxPreparedText) + "7"); long != 7 {
		t.Fatalf("the long statement gives %d", long)
	}

	exec("ALTER TABLE number ADD COLUMN square INTEGER")
	exec("UPDATE number SET square = n * n")
	if first := sum(upTo, 1); first != 0 {
		t.Fatalf("after the table has changed, the first is %d", first)
	}
	if _, err := tx.ExecContext(t.Context(), "DELETE FROM number WHERE nothing = 0"); err == nil {
		t.Fatal("a column that is not there is asked for")
	}
}
