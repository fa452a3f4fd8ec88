package auth

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // JobMon's cookie is made so
	"crypto/sha256"
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
	// CookieBytes is how long a cookie may be with its name and attributes, in bytes, to be kept by any browser.
	CookieBytes = 4096
	// renewedAfter is the age from which on a cookie is signed anew.
	renewedAfter = time.Hour
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

// Cookies signs and verifies JobMon's session cookie: payload, time of signing and signature, joined by full stops. It
// does so with the cookie of a login that is under way, too.
type Cookies struct{ key, loginKey []byte }

// NewCookies returns the cookies of all servers that have this secret.
func NewCookies(secret string) *Cookies {
	key := sha1.Sum([]byte("itsdangerous.Signer" + "signer" + secret)) //nolint:gosec // as above
	loginKey := hmac.New(sha256.New, []byte(secret))
	loginKey.Write([]byte("tasktide login"))
	return &Cookies{key[:], loginKey.Sum(nil)}
}

// Sign returns the value of a session's cookie, signed at an instant, which is cut to seconds.
func (c *Cookies) Sign(session Session, at time.Time) (string, error) {
	payload, err := json.Marshal(session)
	if err != nil {
		return "", err
	}
	return c.signAt(base64.StdEncoding.EncodeToString(payload), at), nil
}

func (c *Cookies) signAt(payload string, at time.Time) string {
	seconds := binary.BigEndian.AppendUint64(nil, uint64(max(0, at.Unix())))
	for len(seconds) > 0 && seconds[0] == 0 {
		seconds = seconds[1:]
	}
	signed := payload + "." + base64.RawURLEncoding.EncodeToString(seconds)
	return signed + "." + c.signature(signed)
}

// Renew returns the value of a cookie that Verify accepts, signed anew at an instant, if it was signed an hour ago or
// longer. What JobMon keeps in it stays to the byte.
func (c *Cookies) Renew(value string, now time.Time) (renewed string, due bool) {
	signed, _, _ := cutLast(value)
	payload, written, _ := cutLast(signed)
	signedAt, ok := readSeconds(written)
	if !ok || now.Sub(time.Unix(signedAt, 0)) < renewedAfter {
		return "", false
	}
	return c.signAt(payload, now), true
}

func (c *Cookies) signature(signed string) string {
	mac := hmac.New(sha1.New, c.key)
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// Verify returns the session in a cookie's value as of an instant. Nothing of the value is decoded before its
// signature has been compared, in constant time. ErrOversized, ErrForged, ErrExpired, ErrFuture or ErrMalformed.
func (c *Cookies) Verify(value string, now time.Time) (Session, error) {
	if len(value) > CookieBytes {
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
