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
	storetest.Run(t, func(t *testing.T) store.Store { return testdb.PostgreSQL.Open(t) })
}
