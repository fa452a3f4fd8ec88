package auth

import (
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"tasktide/internal/jobmon"
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
	Name     string // by which workflows are owned: the part of the e-mail address before @
	FullName string
	Email    string
	Groups   []string
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
	return User{Name: name, FullName: *told.Name, Email: *told.Email, Groups: *told.Groups}, nil
}

// UserOf returns the user of a session from what an OpenID Connect provider claims of somebody, as JSON reads it: with
// all that JobMon wants there, and without the groups that begin with app-. What a provider does not tell is empty,
// but CodeForbidden when that is the subject or the e-mail address, or the address is known not to be theirs.
func UserOf(claims map[string]any) (json.RawMessage, error) {
	text := func(name string) *string {
		value, _ := claims[name].(string)
		return &value
	}
	number := func(name string) *int64 {
		value, _ := claims[name].(float64)
		seconds := int64(value)
		return &seconds
	}
	email := text("email")
	local, _, _ := strings.Cut(*email, "@")
	switch {
	case *text("sub") == "":
		return nil, jobmon.Errorf(jobmon.CodeForbidden, "the identity provider does not say who this is (sub)")
	case local == "":
		return nil, jobmon.Errorf(jobmon.CodeForbidden, "the identity provider tells no e-mail address of this user")
	case claims["email_verified"] == false || claims["email_verified"] == "false":
		return nil, jobmon.Errorf(jobmon.CodeForbidden, "the identity provider has not verified the e-mail address of this user")
	}
	username := cmp.Or(*text("preferred_username"), local)
	name := cmp.Or(*text("name"), username)
	groups := groupsOf(claims["groups"])
	return json.Marshal(user{
		Sub: text("sub"), Email: email, PreferredUsername: &username, Name: &name, UpdatedAt: number("updated_at"),
		GivenName: text("given_name"), FamilyName: text("family_name"), Groups: &groups, Nonce: text("nonce"),
		AtHash: text("at_hash"), SID: text("sid"), Aud: text("aud"), Exp: number("exp"), Iat: number("iat"), Iss: text("iss"),
	})
}

// groupsOf returns groups as JobMon keeps them. A provider tells a list, or one group by itself.
func groupsOf(claim any) []string {
	groups := []string{}
	list, isList := claim.([]any)
	if !isList {
		list = []any{claim}
	}
	for _, one := range list {
		if group, ok := one.(string); ok && !strings.HasPrefix(group, "app-") {
			groups = append(groups, group)
		}
	}
	slices.Sort(groups)
	return groups
}
