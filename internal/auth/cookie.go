package auth

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // JobMon's cookie is made so
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

const (
	// CookieName is the name of JobMon's session cookie.
	CookieName = "session"
	// CookieMaxAge is how long a session lasts from when its cookie was signed. At exactly this age it still does.
	CookieMaxAge = 14 * 24 * time.Hour
	// maxCookie is how many bytes of a cookie any browser keeps.
	maxCookie = 4096
)

// Why a cookie is not accepted.
var (
	ErrOversized = errors.New("the session cookie is too long")
	ErrForged    = errors.New("the session cookie is not signed with this server's secret, or was cut or changed")
	ErrExpired   = errors.New("the session cookie has expired")
	ErrFuture    = errors.New("the session cookie was signed in the future: the clocks of two servers differ")
	ErrMalformed = errors.New("the session cookie is signed but cannot be read")
)

// Session is what a cookie holds: JSON values by name, of which "user" is the one of who is logged in.
type Session map[string]json.RawMessage

// Cookies signs and verifies JobMon's session cookie: payload, time of signing and signature, joined by full stops.
type Cookies struct{ key []byte }

// NewCookies returns the cookies of all servers that have this secret.
func NewCookies(secret string) *Cookies {
	key := sha1.Sum([]byte("itsdangerous.Signer" + "signer" + secret)) //nolint:gosec // as above
	return &Cookies{key[:]}
}

// Sign returns the value of a session's cookie, signed at an instant, which is cut to seconds.
func (c *Cookies) Sign(session Session, at time.Time) (string, error) {
	payload, err := json.Marshal(session)
	if err != nil {
		return "", err
	}
	seconds := binary.BigEndian.AppendUint64(nil, uint64(max(0, at.Unix())))
	for len(seconds) > 0 && seconds[0] == 0 {
		seconds = seconds[1:]
	}
	signed := base64.StdEncoding.EncodeToString(payload) + "." + base64.RawURLEncoding.EncodeToString(seconds)
	return signed + "." + c.signature(signed), nil
}

func (c *Cookies) signature(signed string) string {
	mac := hmac.New(sha1.New, c.key)
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Verify returns the session in a cookie's value as of an instant. Nothing of the value is decoded before its
// signature has been compared, in constant time. ErrOversized, ErrForged, ErrExpired, ErrFuture or ErrMalformed.
func (c *Cookies) Verify(value string, now time.Time) (Session, error) {
	if len(value) > maxCookie {
		return nil, ErrOversized
	}
	signed, signature, found := cutLast(value)
	if !found || !hmac.Equal([]byte(signature), []byte(c.signature(signed))) {
		return nil, ErrForged
	}
	payload, written, found := cutLast(signed)
	signedAt, ok := readSeconds(written)
	if !found || !ok {
		return nil, ErrMalformed
	}
	switch age := now.Unix() - signedAt; {
	case age < 0:
		return nil, ErrFuture
	case age > int64(CookieMaxAge.Seconds()):
		return nil, ErrExpired
	}
	text, err := base64.StdEncoding.DecodeString(payload)
	if err != nil {
		return nil, ErrMalformed
	}
	var session Session
	if json.Unmarshal(text, &session) != nil {
		return nil, ErrMalformed
	}
	return session, nil
}

// cutLast cuts a text at its last full stop.
func cutLast(text string) (before, after string, found bool) {
	at := strings.LastIndexByte(text, '.')
	if at < 0 {
		return text, "", false
	}
	return text[:at], text[at+1:], true
}

// readSeconds reads seconds since the Unix epoch, big-endian without leading zeros.
func readSeconds(written string) (int64, bool) {
	data, err := base64.RawURLEncoding.DecodeString(written)
	if err != nil || len(data) >= 8 {
		return 0, false
	}
	var seconds int64
	for _, b := range data {
		seconds = seconds<<8 | int64(b)
	}
	return seconds, true
}
