package cache

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"pgregory.net/rapid"
)

// part is a connection that hands out bytes in parts.
type part struct {
	net.Conn

	data  []byte
	sizes func() int
}

func (p *part) Close() error { return nil }

func (p *part) Read(data []byte) (int, error) {
	if len(p.data) == 0 {
		return 0, io.EOF
	}
	n := copy(data, p.data[:min(len(p.data), max(1, p.sizes()))])
	p.data = p.data[n:]
	return n, nil
}

// Whatever a Redis says passes as it is, however it comes, until it announces too much.
func TestGuardedPassesWhatIsNotTooLong(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reply := rapid.OneOf(
			rapid.Custom(func(t *rapid.T) string {
				text := rapid.StringOfN(rapid.RuneFrom([]rune("$*9\r\nx\x00")), 0, 40, -1).Draw(t, "text")
				return fmt.Sprintf("%s%d\r\n%s\r\n", rapid.SampledFrom([]string{"$", "=", "!"}).Draw(t, "type"), len(text), text)
			}),
			rapid.SampledFrom([]string{"+OK\r\n", "-ERR $99999999999 no\r\n", ":99999999999\r\n", "$-1\r\n", "*2\r\n", "_\r\n", "\r\n", "$?\r\n", "%1024\r\n"}),
		)
		var said []byte
		for _, one := range rapid.SliceOf(reply).Draw(t, "replies") {
			said = append(said, one...)
		}
		sizes := rapid.IntRange(1, 30)
		g := &guarded{Conn: &part{data: bytes.Clone(said), sizes: func() int { return sizes.Draw(t, "size") }}}
		if heard, err := io.ReadAll(g); err != nil || !bytes.Equal(heard, said) {
			t.Fatalf("%q became %q, %v", said, heard, err)
		}
		tooLong := rapid.SampledFrom([]string{
			fmt.Sprintf("$%d\r\n", longestReply+1), "=99999999999999999999999999\r\n", "*1025\r\n", "%99999999\r\n",
			"+" + string(make([]byte, longestLine+1)),
		}).Draw(t, "too long")
		g = &guarded{Conn: &part{data: append(said, tooLong...), sizes: func() int { return sizes.Draw(t, "size") }}}
		if _, err := io.ReadAll(g); !errors.Is(err, errTooLong) {
			t.Fatalf("%q: %v", tooLong, err)
		}
	})
}
