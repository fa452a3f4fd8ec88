// Package upkeep keeps what the audit sums up to beside it, removes what is old, and proves that the
// audit is whole.
//
// Whoever writes rows of the audit marks their minutes in the same transaction. [RollUp] reads the marks
// of some minutes and then their rows, makes cells of them, and in one transaction stores the cells and
// deletes exactly the marks that it read: if another has deleted one of them, it gives up, since that one
// may have read more rows. So no row is ever outside both a mark and the cells, whatever ends when.
package upkeep

import "tasktide/internal/store"

// Database is what upkeep needs of a store.
type Database interface {
	store.Reader
	store.Upkeeper
}
