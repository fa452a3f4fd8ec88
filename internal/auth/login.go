package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"tasktide/internal/jobmon"
)

const (
	// LoginCookieName is the name of the cookie that remembers a login while it is under way at the provider.
	LoginCookieName = "tasktide_login"
	// LoginMaxAge is how long a login may take. At exactly this age it is over.
	LoginMaxAge = 10 * time.Minute
)

// errNoLogin does not say which: whoever tries to forge one learns nothing.
var errNoLogin = jobmon.Errorf(jobmon.CodeInvalid, "this login was not begun in this browser, or too long ago; log in again")

// Login is a login that is under way at an OpenID Connect provider.
type Login struct {
	State    string `json:"state"`     // comes back with the provider's answer
	Nonce    string `json:"nonce"`     // stands in its ID token
	Verifier string `json:"verifier"`  // proves to the provider that the code is asked for by who began (PKCE)
	ReturnTo string `json:"return_to"` // where to go afterwards
	Until    int64  `json:"until"`     // in seconds since the Unix epoch; at that instant it is over
}

// NewLogin begins a login at an instant.
func NewLogin(returnTo string, at time.Time) Login {
	return Login{State: randomText(), Nonce: randomText(), Verifier: randomText(), ReturnTo: returnTo, Until: at.Add(LoginMaxAge).Unix()}
}

// SignLogin returns the value of a login's cookie.
func (c *Cookies) SignLogin(login Login) string {
	payload, _ := json.Marshal(login) //nolint:errchkjson // texts and a number can always be encoded
	signed := base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + c.loginSignature(signed)
}

// loginSignature has a key of its own, so that neither cookie is ever taken for the other.
func (c *Cookies) loginSignature(signed string) string {
	mac := hmac.New(sha256.New, c.loginKey)
	mac.Write([]byte(signed))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// VerifyLogin returns the login in a cookie's value as of an instant, if it is the one that a provider's answer with
// that state belongs to. Signature and state are compared in constant time. CodeInvalid.
func (c *Cookies) VerifyLogin(value, state string, now time.Time) (Login, error) {
	signed, signature, found := strings.Cut(value, ".")
	if len(value) > CookieBytes || !found || !hmac.Equal([]byte(signature), []byte(c.loginSignature(signed))) {
		return Login{}, errNoLogin
	}
	payload, err := base64.RawURLEncoding.DecodeString(signed)
	var login Login
	if err != nil || json.Unmarshal(payload, &login) != nil || now.Unix() >= login.Until ||
		subtle.ConstantTimeCompare([]byte(login.State), []byte(state)) == 0 {
		return Login{}, errNoLogin
	}
	return login, nil
}
