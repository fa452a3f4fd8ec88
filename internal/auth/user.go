package auth

import (
	"encoding/json"
	"errors"
	"strings"
)

// What a session may say of its user besides who it is.
var (
	// ErrNoUser says that nobody is logged in.
	ErrNoUser = errors.New("nobody is logged in")
	// ErrMalformedUser says that the user in a session that is valid cannot be read.
	ErrMalformedUser = errors.New("the user in the session is incomplete or malformed; log out and in again")
)

// User is who is logged in to JobMon.
type User struct {
	Name   string // by which workflows are owned: the part of the e-mail address before @
	Groups []string
}

// user is all that JobMon keeps of a user. Each member has to be there.
type user struct {
	Sub               *string   `json:"sub"`
	Email             *string   `json:"email"`
	PreferredUsername *string   `json:"preferred_username"`
	Name              *string   `json:"name"`
	UpdatedAt         *int64    `json:"updated_at"`
	GivenName         *string   `json:"given_name"`
	FamilyName        *string   `json:"family_name"`
	Groups            *[]string `json:"groups"`
	Nonce             *string   `json:"nonce"`
	AtHash            *string   `json:"at_hash"`
	SID               *string   `json:"sid"`
	Aud               *string   `json:"aud"`
	Exp               *int64    `json:"exp"`
	Iat               *int64    `json:"iat"`
	Iss               *string   `json:"iss"`
}

func (u user) complete() bool {
	for _, text := range []*string{
		u.Sub, u.Email, u.PreferredUsername, u.Name, u.GivenName, u.FamilyName, u.Nonce, u.AtHash, u.SID, u.Aud, u.Iss,
	} {
		if text == nil {
			return false
		}
	}
	return u.UpdatedAt != nil && u.Groups != nil && u.Exp != nil && u.Iat != nil
}

// User returns who is logged in. ErrNoUser when there is no user, or an empty one; ErrMalformedUser.
func (s Session) User() (User, error) {
	switch string(s["user"]) {
	case "", "null", "{}", "[]", `""`, "0", "false":
		return User{}, ErrNoUser
	}
	var told user
	if json.Unmarshal(s["user"], &told) != nil || !told.complete() {
		return User{}, ErrMalformedUser
	}
	name, _, _ := strings.Cut(*told.Email, "@")
	if name == "" {
		return User{}, ErrMalformedUser
	}
	return User{Name: name, Groups: *told.Groups}, nil
}
