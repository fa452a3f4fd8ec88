package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// Scope is what a token may be used for.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"  // see what the token's user may see
	ScopeState Scope = "state" // register and run workflows, and change what the token's user may change
	ScopeAdmin Scope = "admin" // everything, to every workflow
)

// Why a token is not accepted.
var (
	ErrUnknownToken = errors.New("the token is not known, or was revoked")
	ErrExpiredToken = errors.New("the token has expired")
)

// tokenPrefix tells tokens from other passwords, to people, to us and to those who scan for secrets.
const tokenPrefix = "tasktide_"

// tokenLength is how many characters a token has: the prefix, and 32 random bytes in base64.
const tokenLength = len(tokenPrefix) + 43

// NewToken makes a token for a user, from an instant to another, and what is to be stored of it. CodeInvalid for a
// user or scopes that are none, and for a token that would never be valid.
func NewToken(name, user string, scopes []string, from, until time.Time) (token string, stored store.Token, err error) {
	switch {
	case user == "":
		return "", store.Token{}, jobmon.Errorf(jobmon.CodeInvalid, "a token needs a user, in whose name it is used")
	case !until.After(from):
		return "", store.Token{}, jobmon.Errorf(jobmon.CodeInvalid, "a token must expire after it was made")
	}
	var known []string
	for _, scope := range scopes {
		switch Scope(scope) {
		case ScopeRead, ScopeState, ScopeAdmin:
			known = append(known, scope)
		default:
			return "", store.Token{}, jobmon.Errorf(jobmon.CodeInvalid, "%q is none of the scopes read, state and admin", scope)
		}
	}
	if len(known) == 0 {
		return "", store.Token{}, jobmon.Errorf(jobmon.CodeInvalid, "a token needs a scope: read, state or admin")
	}
	slices.Sort(known)
	token = tokenPrefix + randomText()
	return token, store.Token{
		Name: name, User: user, Scopes: strings.Join(slices.Compact(known), ","), Hash: hashToken(token),
		CreatedAt: from.UnixMicro(), ExpiresAt: until.UnixMicro(),
	}, nil
}

// randomText is 32 random bytes, in 43 characters that are plain in a URL.
func randomText() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // it never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

// hashToken needs no salt and no time: nobody can guess 32 random bytes.
func hashToken(token string) string {
	hash := sha256.Sum256([]byte(token))
	return hex.EncodeToString(hash[:])
}

// TokenHash returns by what a token is found in the store, and whether a text is one at all, which costs no look.
func TokenHash(text string) (hash string, is bool) {
	if len(text) != tokenLength || !strings.HasPrefix(text, tokenPrefix) {
		return "", false
	}
	return hashToken(text), true
}

// TokenIdentity returns who has a token, as of an instant. ErrExpiredToken.
func TokenIdentity(token store.Token, now time.Time) (Identity, error) {
	if now.UnixMicro() >= token.ExpiresAt {
		return Identity{}, ErrExpiredToken
	}
	who := Identity{User: token.User, Token: token.ID}
	for scope := range strings.SplitSeq(token.Scopes, ",") {
		who.Scopes = append(who.Scopes, Scope(scope))
	}
	return who, nil
}
