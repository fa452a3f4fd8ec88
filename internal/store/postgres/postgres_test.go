package postgres_test

import (
	"os"
	"testing"

	"tasktide/internal/store"
	"tasktide/internal/store/storetest"
	"tasktide/internal/store/testdb"
)

func TestMain(m *testing.M) { os.Exit(testdb.Main(m)) }

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store {
		t.Helper()
		return testdb.PostgreSQL.Open(t)
	})
}

func TestMigrations(t *testing.T) { testdb.PostgreSQL.TestMigrations(t, os.DirFS("migrations")) }
