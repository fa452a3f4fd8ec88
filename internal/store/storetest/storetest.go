// Package storetest holds every promise of package store as a test. A promise that is not tested here
// does not exist.
package storetest

import (
	"testing"

	"tasktide/internal/store"
)

// Run tests a store. open returns an empty one, which the suite closes: each test has its own.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, family := range []struct {
		name  string
		tests map[string]func(t *testing.T, s store.Store)
	}{
		{"Catalog", catalogTests},
		{"Transactions", transactionTests},
		{"AtOnce", atOnceTests},
		{"Workflows", workflowTests},
		{"Tasks", taskTests},
		{"TaskStatus", taskStatusTests},
		{"Instances", instanceTests},
		{"Suspects", suspectTests},
		{"Lists", listTests},
		{"Access", accessTests},
		{"Transitions", transitionTests},
		{"Changes", changeTests},
		{"Stays", stayTests},
		{"Instants", instantTests},
		{"Imports", importTests},
		{"Marks", markTests},
		{"MarksOfImports", markImportTests},
		{"Upkeep", upkeepTests},
		{"Retention", retentionTests},
		{"Blocks", blockTests},
		{"Removal", removalTests},
		{"Bounds", boundTests},
		{"Model", modelTests},
	} {
		t.Run(family.name, func(t *testing.T) {
			for name, test := range family.tests {
				t.Run(name, func(t *testing.T) {
					s := open(t)
					t.Cleanup(func() {
						if err := s.Close(); err != nil {
							t.Errorf("close: %v", err)
						}
					})
					test(t, s)
				})
			}
		})
	}
}
