package api

import (
	"bytes"
	"net/http"
	"sync"

	"github.com/klauspost/compress/gzhttp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

const (
	// compressedFrom is how long a body is at least that is compressed, in bytes: a shorter one takes a packet
	// either way.
	compressedFrom = 1024

	// gzipLevel is the first from which on a chart's numbers become much shorter: 66.6 kB in 8 ms, and one below
	// 69.9 kB in 2 ms, of 193 kB.
	gzipLevel = 7

	zstdCoding = "zstd"
	gzipCoding = "gzip"
)

var (
	compress  = newCompressor(compressedFrom)
	negotiate = newCompressor(0) // compresses a body of any length
)

// compressing compresses answers for clients that take it, with zstd where they like that and gzip as much.
func compressing(next http.Handler) http.Handler { return compress(next) }

func newCompressor(from int) func(http.Handler) http.HandlerFunc {
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(from), gzhttp.ContentTypes([]string{
		// The other files of a page, images and fonts, are compressed as they are.
		"application/json", "text/csv", "text/html", "text/css", "text/javascript", "text/plain", "image/svg+xml",
	}))
	if err != nil {
		panic("the compressor's settings: " + err.Error()) // which are constants
	}
	return wrap
}

// codingFor returns how a long answer to a request is compressed: with zstd, gzip, or not at all, which is "".
// What a client takes is decided by the library alone, which tells it no other way than by doing it.
func codingFor(r *http.Request) string {
	decided := outcome{header: http.Header{}}
	negotiate(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = w.Write([]byte("?")) // an outcome takes everything
	}))(&decided, r)
	return decided.header.Get("Content-Encoding")
}

// outcome keeps the header of an answer and drops its body.
type outcome struct{ header http.Header }

// Header implements [http.ResponseWriter].
func (o *outcome) Header() http.Header { return o.header }

// WriteHeader implements [http.ResponseWriter].
func (o *outcome) WriteHeader(int) {}

// Write implements [http.ResponseWriter].
func (o *outcome) Write(data []byte) (int, error) { return len(data), nil }

// compressed returns a body in a coding that codingFor has returned. It takes more pains than compress: the
// answer is made once and sent often.
func compressed(body []byte, coding string) ([]byte, error) {
	switch coding {
	case zstdCoding:
		encoder, err := zstdEncoder()
		if err != nil {
			return nil, err
		}
		return encoder.EncodeAll(body, nil), nil
	case gzipCoding:
		var packed bytes.Buffer
		writer, err := gzip.NewWriterLevel(&packed, gzipLevel)
		if err == nil {
			_, err = writer.Write(body)
		}
		if err == nil {
			err = writer.Close()
		}
		return packed.Bytes(), err
	default:
		return body, nil
	}
}

// zstdEncoder returns the one that all use.
var zstdEncoder = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBetterCompression),
		zstd.WithLowerEncoderMem(true), zstd.WithWindowSize(1<<20))
})
