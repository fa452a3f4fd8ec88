package cache

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net"
	"strconv"
)

const (
	// longestReply is how many bytes of one text a Redis may announce: the longest value that is stored there,
	// sealed, and more than any other answer has.
	longestReply = largestInRedis + sha256.Size
	// longestLine is how long a line may be, in bytes, and mostReplies of how many answers one may consist.
	longestLine = 64 << 10
	mostReplies = 1 << 10
)

var errTooLong = errors.New("the answer is longer than any that Redis was asked for")

// guarded is a connection to what should be a Redis. The client makes room for as much as the other side announces:
// guarded ends the connection when that is more than was ever asked for, lest it take all memory.
type guarded struct {
	net.Conn

	line   []byte // the beginning of the line that is being read
	length int    // of that line so far
	skip   int64  // bytes of a text, which are not looked at
}

// Read reads what the client will read, and returns an error when it announces too much.
func (g *guarded) Read(data []byte) (int, error) {
	n, err := g.Conn.Read(data)
	if !g.allows(data[:n]) {
		return 0, errors.Join(errTooLong, g.Close())
	}
	return n, err
}

// allows follows the protocol as far as it announces lengths.
func (g *guarded) allows(data []byte) bool {
	for len(data) > 0 {
		if g.skip > 0 {
			skipped := min(g.skip, int64(len(data)))
			g.skip -= skipped
			data = data[skipped:]
			continue
		}
		part, rest, ended := bytes.Cut(data, []byte("\n"))
		data = rest
		if g.length += len(part); g.length > longestLine {
			return false
		}
		const enough = 24 // for a type and a number
		g.line = append(g.line, part[:min(len(part), enough-min(len(g.line), enough))]...)
		if !ended {
			return true
		}
		if !g.announced() {
			return false
		}
		g.line, g.length = g.line[:0], 0
	}
	return true
}

// announced looks at a line that is whole. What makes no sense is left to the client, which refuses it.
func (g *guarded) announced() bool {
	line := bytes.TrimSuffix(g.line, []byte("\r"))
	if len(line) == 0 {
		return true
	}
	n, err := strconv.ParseInt(string(line[1:]), 10, 64)
	if err != nil {
		return !errors.Is(err, strconv.ErrRange)
	}
	switch line[0] {
	case '$', '!', '=':
		if n > longestReply {
			return false
		}
		if n >= 0 {
			g.skip = n + int64(len("\r\n"))
		}
	case '*', '%', '~', '>', '|':
		return n <= mostReplies
	}
	return true
}
