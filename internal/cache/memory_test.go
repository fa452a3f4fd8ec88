package cache_test

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tasktide/internal/cache"
)

// Whatever is put, the cache stays within its bytes, gives back what was put under a key last or nothing, and has
// kept the one that was put or asked for last.
func TestMemoryIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bound := rapid.Int64Range(0, 20_000).Draw(t, "bound")
		memory := cache.NewMemory(bound)
		put := map[string][]byte{}
		var hits, misses int64
		for i := range rapid.IntRange(0, 200).Draw(t, "steps") {
			key := fmt.Sprint("key ", rapid.IntRange(0, 20).Draw(t, "key"))
			if rapid.Bool().Draw(t, "get") {
				got, found := memory.Get(t.Context(), key)
				if found {
					hits++
				} else {
					misses++
				}
				if want, known := put[key]; found && (!known || !bytes.Equal(got, want)) {
					t.Fatalf("%s is %q, want %q", key, got, want)
				}
				continue
			}
			value := bytes.Repeat([]byte{byte(i)}, rapid.IntRange(0, 3000).Draw(t, "bytes"))
			before, had := memory.Get(t.Context(), key)
			memory.Put(t.Context(), key, value)
			got, found := memory.Get(t.Context(), key)
			hits, misses = hits+count(had)+count(found), misses+count(!had)+count(!found)
			fits := int64(len(value)+len(key)+200) <= bound/8
			switch {
			case fits:
				put[key] = value
			case had:
				put[key] = before
			}
			if found != (fits || had) || fits && !bytes.Equal(got, value) {
				t.Fatalf("%d bytes in %d: found %v", len(value), bound, found)
			}
		}
		if stats := memory.Stats(); stats.Bytes > bound || stats.Bytes < 0 || stats.Hits != hits || stats.Misses != misses {
			t.Fatalf("%+v of %d bytes, %d hits and %d misses", stats, bound, hits, misses)
		}
	})
}

func count(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

// What is asked for stays; what is not goes first.
func TestMemoryForgetsWhatIsNotAskedFor(t *testing.T) {
	memory := cache.NewMemory(10_000)
	memory.Put(t.Context(), "asked for", make([]byte, 500))
	for i := range 1000 {
		memory.Put(t.Context(), fmt.Sprint(i), make([]byte, 500))
		if _, found := memory.Get(t.Context(), "asked for"); !found {
			t.Fatalf("it is gone after %d others", i)
		}
	}
	if _, found := memory.Get(t.Context(), "0"); found {
		t.Error("the first of 1000 is still there")
	}
}
