// Package cache keeps answers, as bytes under a key that says everything they depend on, so that none of them
// is ever out of date: a key is asked for again or never, and what is kept under it does not change. A cache
// may forget at any time. It says yes only to what was put under that very key, and is never the reason why a
// request fails.
package cache

import "crypto/sha256"

// Stats tells what a cache was asked since its start.
type Stats struct {
	Hits, Misses int64
	Bytes        int64 // that are kept in this process
	// Passed is how often a cache that is elsewhere was not asked, because it had not answered before.
	Passed int64
}

// seal is what a value that leaves this process begins with: it ties the value to its key, so that bytes that
// were damaged, cut off or put there by somebody else are not taken for it.
type seal [sha256.Size]byte

func sealOf(key string, value []byte) seal {
	hash := sha256.New()
	hash.Write([]byte(key))
	hash.Write([]byte{0}) // no key contains it
	hash.Write(value)
	return seal(hash.Sum(nil))
}

// sealed returns a value with its seal before it.
func sealed(key string, value []byte) []byte {
	s := sealOf(key, value)
	return append(s[:], value...)
}

// opened returns the value that was sealed for a key, and whether it is whole.
func opened(key string, stored []byte) ([]byte, bool) {
	if len(stored) < len(seal{}) {
		return nil, false
	}
	value := stored[len(seal{}):]
	return value, sealOf(key, value) == seal(stored[:len(seal{})])
}
