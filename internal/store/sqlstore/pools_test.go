package sqlstore_test

import (
	"testing"

	"tasktide/internal/store/sqlstore"
)

func TestPoolsFitTheServer(t *testing.T) {
	for connections, want := range map[int][2]int{
		1: {2, 2}, 16: {4, 2}, 100: {25, 12}, 151: {32, 12}, 10_000: {32, 12},
	} {
		if got := [2]int{sqlstore.Writers(connections), sqlstore.Readers(connections)}; got != want {
			t.Errorf("of %d connections %v are for writers and readers, want %v", connections, got, want)
		}
	}
}
