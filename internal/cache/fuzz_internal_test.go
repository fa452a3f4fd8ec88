package cache

import (
	"bytes"
	"testing"
)

// FuzzAnnounced follows anything that calls itself a Redis: what it may announce does not depend on how it comes in
// pieces, and nothing is taken for a stored value that was not sealed under its key.
func FuzzAnnounced(f *testing.F) {
	for _, said := range []string{
		"", "+OK\r\n", "$5\r\nhello\r\n", "$-1\r\n", "*2\r\n$1\r\na\r\n$1\r\nb\r\n", "$99999999999\r\n", "*1025\r\n",
		"$9223372036854775807\r\n", "$9223372036854775808\r\n", "$-9223372036854775808\r\n", string(sealed("k", []byte("value"))),
	} {
		f.Add([]byte(said), uint(3))
	}
	f.Fuzz(func(t *testing.T, data []byte, cut uint) {
		at := int(cut % uint(len(data)+1))
		var whole, pieces guarded
		if one, two := whole.allows(data), pieces.allows(data[:at]) && pieces.allows(data[at:]); one != two {
			t.Errorf("%q is allowed: %t, and in pieces cut at %d: %t", data, one, at, two)
		}
		if value, is := opened("k", data); is && !bytes.Equal(sealed("k", value), data) {
			t.Errorf("%q is taken for a value", data)
		}
	})
}
