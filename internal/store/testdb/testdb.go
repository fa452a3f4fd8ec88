// Package testdb gives tests and benchmarks real databases: a private MariaDB and a private PostgreSQL,
// on loopback, in a temporary directory, started when first asked for and gone with the process, and a
// database of its own for each test.
//
// The servers are set as wrongly as they can be (time zone, SQL mode, isolation, collation), so that
// every test is one of what a connection sets for itself.
//
// A private Redis, and a proxy that keeps back what is said, are here too.
package testdb

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"tasktide/internal/store/mysql"
	"tasktide/internal/store/postgres"
	"tasktide/internal/store/sqlite"
	"tasktide/internal/store/sqlstore"
)

// Kind is a database that Tasktide runs on.
type Kind string

// The kinds. A MySQL is used where TASKTIDE_TEST_MYSQL_URL names one whose user may create databases.
const (
	SQLite     Kind = "sqlite"
	MariaDB    Kind = "mariadb"
	PostgreSQL Kind = "postgresql"
	MySQL      Kind = "mysql"
)

// mysqlURL names the environment variable with the address of a MySQL.
const mysqlURL = "TASKTIDE_TEST_MYSQL_URL"

// kindVariable names the environment variable that chooses the database of [Open].
const kindVariable = "TASKTIDE_TEST_DATABASE"

// Kinds returns the kinds that this run has.
func Kinds() []Kind {
	kinds := []Kind{SQLite, MariaDB, PostgreSQL}
	if os.Getenv(mysqlURL) != "" {
		kinds = append(kinds, MySQL)
	}
	return kinds
}

// Main runs a package's tests and ends the servers that they started. It returns the exit code.
func Main(m *testing.M) int {
	defer stopAll()
	return m.Run()
}

// Open opens a migrated store in a database that only this test uses: a SQLite file, or what the
// environment variable TASKTIDE_TEST_DATABASE names. The test closes it.
func Open(t testing.TB) *sqlstore.Store {
	t.Helper()
	kind := Kind(os.Getenv(kindVariable))
	if kind == "" {
		kind = SQLite
	}
	return kind.Open(t)
}

// Open opens a migrated store in a database that only this test uses. The test closes it.
func (k Kind) Open(t testing.TB) *sqlstore.Store {
	t.Helper()
	opened, err := k.OpenURL(t.Context(), k.URL(t))
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

// OpenURL opens a database of this kind.
func (k Kind) OpenURL(ctx context.Context, url string) (*sqlstore.Store, error) {
	switch k {
	case MariaDB, MySQL:
		return mysql.Open(ctx, url)
	case PostgreSQL:
		return postgres.Open(ctx, url)
	default:
		return sqlite.Open(ctx, url)
	}
}

// URL returns the address of a migrated database that only this test uses and that is gone after it.
func (k Kind) URL(t testing.TB) string {
	t.Helper()
	if k == SQLite {
		content, err := sqliteTemplate()
		if err != nil {
			t.Fatal(err)
		}
		directory, err := os.MkdirTemp(baseDirectory(Settings{}), "tasktide-sqlite-") //nolint:usetesting // in memory
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(directory) })
		file := filepath.Join(directory, "store.db")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return "sqlite://" + file
	}
	server := k.Server(t)
	name, err := server.clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server.dropAfter(t, name)
	return server.URL(name)
}

// Server returns the server of this kind that the tests of a package share, and starts it when it does
// not run yet.
func (k Kind) Server(t testing.TB) *Server {
	t.Helper()
	server, err := shared[k]()
	if err != nil {
		t.Fatal(err)
	}
	return server
}

var shared = map[Kind]func() (*Server, error){
	MariaDB:    sync.OnceValues(func() (*Server, error) { return Start(MariaDB, Hostile()) }),
	PostgreSQL: sync.OnceValues(func() (*Server, error) { return Start(PostgreSQL, Hostile()) }),
	MySQL:      sync.OnceValues(func() (*Server, error) { return foreign(os.Getenv(mysqlURL)) }),
}

// sqliteTemplate returns a migrated file.
var sqliteTemplate = sync.OnceValues(func() (content []byte, err error) {
	directory, err := os.MkdirTemp("", "tasktide-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory)
	file := filepath.Join(directory, "template.db")
	if err := migrate(context.Background(), SQLite, "sqlite://"+file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func migrate(ctx context.Context, kind Kind, url string) error {
	opened, err := kind.OpenURL(ctx, url)
	if err != nil {
		return err
	}
	if _, _, err := opened.Migrate(ctx); err != nil {
		return fmt.Errorf("the template of %s: %w", kind, err)
	}
	return opened.Close()
}
