package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"

	"tasktide/internal/jobmon"
)

// A list is read page by page, and a cursor says where the next page begins: it holds the key of the item
// that the page before ended at, in the order of the list, so that items which come or go meanwhile neither
// repeat nor hide another. It also holds a hash of the query: in another order or under other filters the
// same key is another place, and the answer would be wrong without looking so. Nothing of it is secret; its
// version and its checksum turn what was cut off, mistyped or kept for too long into an error that says so.

// cursorVersion is the first byte of a cursor. Whoever changes what follows it, or what a list puts into a
// key, adds 1.
const cursorVersion = 1

// queryHash tells one query from another.
type queryHash [8]byte

// hashQuery hashes a route and what decides which items its list has and in which order: its filters and its
// order, but not how many items a page has. Whatever means the same is to be the same value. A value must be
// one that JSON can hold.
func hashQuery(route string, filters ...any) queryHash {
	text, err := json.Marshal(filters)
	if err != nil {
		panic(err) // texts, numbers, statuses and instants always encode
	}
	sum := sha256.Sum256(append([]byte(route+"\n"), text...))
	return queryHash(sum[:])
}

// cursorEncoding is strict, so that a cursor is written in one way only.
var cursorEncoding = base64.RawURLEncoding.Strict()

// writeCursor returns the cursor of the page of this query that begins after the item with this key.
func writeCursor(query queryHash, key ...int64) string {
	content := append([]byte{cursorVersion}, query[:]...)
	for _, part := range key {
		content = binary.BigEndian.AppendUint64(content, uint64(part)) //nolint:gosec // read back as it is written
	}
	content = binary.BigEndian.AppendUint32(content, crc32.ChecksumIEEE(content))
	return cursorEncoding.EncodeToString(content)
}

// readCursor returns the key that a cursor of this query was written with, which has as many parts as that
// list's keys have. An empty text is the first page, which has no key: nil.
func readCursor(text string, query queryHash, parts int) ([]int64, error) {
	const fromTheStart = "or leave cursor out to begin with the first page"
	if text == "" {
		return nil, nil
	}
	damaged := jobmon.FieldErrorf("cursor",
		"cursor is damaged; give the next_cursor of an earlier answer exactly as it is, "+fromTheStart)
	content, err := cursorEncoding.DecodeString(text)
	if err != nil || len(content) < 1+crc32.Size {
		return nil, damaged
	}
	content, sum := content[:len(content)-crc32.Size], content[len(content)-crc32.Size:]
	if crc32.ChecksumIEEE(content) != binary.BigEndian.Uint32(sum) {
		return nil, damaged
	}
	if content[0] != cursorVersion {
		return nil, jobmon.FieldErrorf("cursor",
			"cursor was made by another version of this server; leave cursor out to begin with the first page")
	}
	content = content[1:]
	if len(content) < len(query) {
		return nil, damaged
	}
	if !bytes.Equal(content[:len(query)], query[:]) {
		return nil, jobmon.FieldErrorf("cursor",
			"cursor belongs to another query; repeat the path, the filters and the order of the request that it came from, "+fromTheStart)
	}
	content = content[len(query):]
	if len(content) != 8*parts {
		return nil, damaged
	}
	key := make([]int64, parts)
	for i := range key {
		key[i] = int64(binary.BigEndian.Uint64(content[8*i:])) //nolint:gosec // written by writeCursor
	}
	return key, nil
}
