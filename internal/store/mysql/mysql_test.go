package mysql_test

import (
	"os"
	"slices"
	"testing"

	"tasktide/internal/store"
	"tasktide/internal/store/storetest"
	"tasktide/internal/store/testdb"
)

func TestMain(m *testing.M) { os.Exit(testdb.Main(m)) }

func TestStore(t *testing.T) {
	for _, kind := range servers() {
		t.Run(string(kind), func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.Store {
				t.Helper()
				return kind.Open(t)
			})
		})
	}
}

// servers returns the kinds of this package that the run has.
func servers() []testdb.Kind {
	return slices.DeleteFunc(testdb.Kinds(), func(k testdb.Kind) bool { return k != testdb.MariaDB && k != testdb.MySQL })
}

func TestMigrations(t *testing.T) {
	for _, kind := range servers() {
		t.Run(string(kind), func(t *testing.T) { kind.TestMigrations(t, os.DirFS("migrations")) })
	}
}
