package cache

import (
	"container/list"
	"context"
	"sync"
)

const (
	// largestShare is which part of a [Memory] one value may take at most: one export of everything must not
	// push all else out.
	largestShare = 8
	// overhead is about what an entry takes beside its key and value, in bytes: a map's slot, a list's element
	// and the headers of both.
	overhead = 200
)

// Memory keeps the values that were asked for last, up to a number of bytes. It is safe for concurrent use.
//
// Libraries that bound by bytes (otter, ristretto) take in what was asked for often before, and so refuse what
// is new. Here a key is new whenever anything has changed, and an old one is never asked for again: they would
// keep the past of a live chart and turn its present away.
type Memory struct {
	bound int64

	mu      sync.Mutex
	entries map[string]*list.Element
	order   list.List // of entry; the one that was asked for last is first
	stats   Stats
}

type entry struct {
	key   string
	value []byte
}

func (e entry) bytes() int64 { return int64(len(e.key) + len(e.value) + overhead) }

// NewMemory returns an empty cache of so many bytes.
func NewMemory(bytes int64) *Memory {
	return &Memory{bound: bytes, entries: map[string]*list.Element{}}
}

// Get returns the value that was put under a key, if it is still there. Nobody may change it.
func (m *Memory) Get(_ context.Context, key string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	element, found := m.entries[key]
	if !found {
		m.stats.Misses++
		return nil, false
	}
	m.stats.Hits++
	m.order.MoveToFront(element)
	return entryOf(element).value, true
}

// Put keeps a value, which nobody may change from now on, unless it is longer than an eighth of the cache.
func (m *Memory) Put(_ context.Context, key string, value []byte) {
	added := entry{key, value}
	if added.bytes() > m.bound/largestShare {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if element, found := m.entries[key]; found {
		m.remove(element)
	}
	m.entries[key] = m.order.PushFront(added)
	m.stats.Bytes += added.bytes()
	for m.stats.Bytes > m.bound {
		m.remove(m.order.Back())
	}
}

// Stats tells what the cache was asked.
func (m *Memory) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.stats
}

func (m *Memory) remove(element *list.Element) {
	removed := entryOf(element)
	m.order.Remove(element)
	delete(m.entries, removed.key)
	m.stats.Bytes -= removed.bytes()
}

// entryOf returns what an element of the order holds, which is nothing else.
func entryOf(element *list.Element) entry { return element.Value.(entry) } //nolint:forcetypeassert // as said
