package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"tasktide/internal/api"
	"tasktide/internal/auth"
	"tasktide/internal/jobmon"
	"tasktide/internal/store"
)

// authFlags say who is asked who they are, and who may do what then. The zero value asks nobody.
type authFlags struct {
	Auth              string          `env:"TASKTIDE_AUTH" enum:"none,session" default:"none" help:"Whether people and machines have to say who they are: none, or session, by the cookie of JobMon or a token (${default})."`
	SessionSecret     secret          `env:"TASKTIDE_SESSION_SECRET" placeholder:"TEXT" help:"JobMon's session secret, by which its cookie is known. Others on the machine can read a flag: use the environment or a file."`
	SessionSecretFile string          `env:"TASKTIDE_SESSION_SECRET_FILE" placeholder:"FILE" help:"The file that holds it instead."`
	ReadAccess        auth.Principals `env:"TASKTIDE_READ_ACCESS" default:"members" placeholder:"WHO" help:"Who may see workflows that are not their own: everyone, members (all who are known), owners (nobody), group:NAME, user:NAME, or several of them (${default})."`
	ChangeAccess      auth.Principals `env:"TASKTIDE_CHANGE_ACCESS" default:"owners" placeholder:"WHO" help:"Who may change them, in the same words (${default})."`
	Admins            auth.Principals `env:"TASKTIDE_ADMINS" placeholder:"WHO" help:"Who may see and change everything: group:NAME, user:NAME."`

	oidcFlags
}

// secret is a text that is never shown.
type secret string

func (secret) String() string { return "(secret)" }

// guard returns what the flags ask for of a server below a path, nil when that is nothing.
func (f authFlags) guard(tokens store.Tokens, base basePath) (*api.Guard, error) {
	if f.Auth != "session" {
		if f.oidcFlags.given() {
			return nil, jobmon.Errorf(jobmon.CodeInvalid,
				"there is an OpenID Connect provider, but nobody is asked who they are; add --auth session")
		}
		if f.SessionSecret != "" || f.SessionSecretFile != "" {
			return nil, jobmon.Errorf(jobmon.CodeInvalid, "there is a session secret, but nobody is asked who they are; add --auth session")
		}
		return nil, nil //nolint:nilnil // no guard is a guard that lets all through
	}
	key, err := readSecret(f.SessionSecret, f.SessionSecretFile, "TASKTIDE_SESSION_SECRET")
	login, wrong := f.login(base)
	switch {
	case err != nil:
		return nil, err
	case key == "":
		return nil, jobmon.Errorf(jobmon.CodeInvalid,
			"--auth session needs the secret that JobMon signs its cookie with: TASKTIDE_SESSION_SECRET or TASKTIDE_SESSION_SECRET_FILE")
	case wrong != nil:
		return nil, wrong
	case f.ChangeAccess.Everyone():
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "--change-access must not be everyone: to change something, one has to be known")
	case f.Admins.Members():
		return nil, jobmon.Errorf(jobmon.CodeInvalid, "--admins must be groups and users, not everyone or members")
	}
	return &api.Guard{
		Cookies: auth.NewCookies(key), Tokens: tokens, Login: login,
		Policy: auth.Policy{Readers: f.ReadAccess, Changers: f.ChangeAccess, Admins: f.Admins},
	}, nil
}

// readSecret returns a secret that is given in the environment or in a file, or nothing.
func readSecret(given secret, file, name string) (string, error) {
	if file == "" {
		return string(given), nil
	}
	if given != "" {
		return "", jobmon.Errorf(jobmon.CodeInvalid, "give %s or %s_FILE, but not both", name, name)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", jobmon.Errorf(jobmon.CodeInvalid, "%s_FILE cannot be read: %w", name, err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

// refuseStrangers returns an error when others than this machine can reach a server that asks nobody who they are.
func refuseStrangers(guard *api.Guard, insecure bool, listener net.Listener) error {
	if guard != nil || insecure || listensLocally(listener) {
		return nil
	}
	return jobmon.Errorf(jobmon.CodeInvalid, "others can reach %s, and nobody is asked to log in; "+
		"listen on 127.0.0.1, or serve with --auth session, or accept it with --insecure", listener.Addr())
}

func listensLocally(listener net.Listener) bool {
	address, isTCP := listener.Addr().(*net.TCPAddr)
	return isTCP && address.IP.IsLoopback()
}

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token for a machine, and show it once."`
	List   tokenListCommand   `cmd:"" help:"List the tokens."`
	Revoke tokenRevokeCommand `cmd:"" help:"Make a token invalid at once."`
}

// Help is shown under the command's --help.
func (tokenCommand) Help() string {
	return `Examples:

    tasktide token create --user ada --scope state
    tasktide token list
    tasktide token revoke 3`
}

type tokenCreateCommand struct {
	databaseFlag
	outputFlags

	User    string   `required:"" placeholder:"NAME" help:"In whose name it is used: what they own, it may see and change."`
	Scope   []string `default:"read" placeholder:"SCOPE" help:"What for: read, state (JobMon's clients) or admin (everything, to every workflow); several with commas (${default})."`
	Expires age      `default:"90d" placeholder:"AGE" help:"How long it is valid, such as 90d or 36h (${default})."`
	Name    string   `placeholder:"TEXT" help:"What to list it as."`
}

// Help is shown under the command's --help.
func (tokenCreateCommand) Help() string {
	return `Prints the token, which is kept nowhere. It is sent as Authorization: Bearer, or as the password or user of
HTTP Basic.

Examples:

    tasktide token create --user ada --scope state --name "nightly pipeline"
    tasktide token create --user grafana --expires 365d

    JOBMON__HTTP__SERVICE_URL=http://ada:TOKEN@tasktide.example.org`
}

func (tokenCreateCommand) interrupted() string { return "no token was created" }

// Run makes a token.
func (c tokenCreateCommand) Run(ctx context.Context, t *terminal) (err error) {
	now := time.Now()
	token, stored, err := auth.NewToken(c.Name, c.User, c.Scope, now, now.Add(time.Duration(c.Expires)))
	if err != nil {
		return err
	}
	db, err := c.databaseFlag.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	// An insert that is cut off may be committed or not, and the token is shown only now.
	id, err := db.AddToken(context.WithoutCancel(ctx), stored)
	if err != nil {
		return err
	}
	t.sayf("Token %d of %s for %s, until %s. It is shown only now:\n", id, stored.User, stored.Scopes, second(stored.ExpiresAt))
	stored.ID = id
	return t.result(createdToken{tokenOf(stored, now), token}, t.line(token))
}

// listedToken is a token in a document.
type listedToken struct {
	ID        int64    `json:"id"`
	User      string   `json:"user"`
	Scopes    []string `json:"scopes"`
	CreatedAt *moment  `json:"created_at"`
	ExpiresAt *moment  `json:"expires_at"`
	Expired   bool     `json:"expired"`
	Name      string   `json:"name"`
}

// createdToken is the result of token create.
type createdToken struct {
	listedToken

	Token string `json:"token"`
}

// tokenList is the result of token list.
type tokenList struct {
	Tokens []listedToken `json:"tokens"`
}

// revokedToken is the result of token revoke.
type revokedToken struct {
	ID      int64 `json:"id"`
	Revoked bool  `json:"revoked"`
}

func tokenOf(token store.Token, now time.Time) listedToken {
	return listedToken{
		token.ID, token.User, strings.Split(token.Scopes, ","), momentOf(token.CreatedAt), momentOf(token.ExpiresAt),
		token.ExpiresAt <= now.UnixMicro(), token.Name,
	}
}

type tokenListCommand struct {
	databaseFlag
	outputFlags
}

// Help is shown under the command's --help.
func (tokenListCommand) Help() string { return "Example:\n\n    tasktide token list" }

func (tokenListCommand) interrupted() string {
	return "the tokens were not listed; nothing was changed"
}

// Run lists the tokens.
func (c tokenListCommand) Run(ctx context.Context, t *terminal) (err error) {
	db, err := c.databaseFlag.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tokens, err := db.Tokens(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	list := tokenList{[]listedToken{}}
	for _, token := range tokens {
		list.Tokens = append(list.Tokens, tokenOf(token, now))
	}
	return t.result(list, func() error {
		table := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tUSER\tSCOPES\tCREATED\tEXPIRES\tNAME")
		for i, token := range tokens {
			expires := second(token.ExpiresAt)
			if list.Tokens[i].Expired {
				expires += " (expired)"
			}
			fmt.Fprintf(table, "%d\t%q\t%s\t%s\t%s\t%q\n", token.ID, token.User, token.Scopes, second(token.CreatedAt), expires, token.Name)
		}
		return table.Flush()
	})
}

type tokenRevokeCommand struct {
	databaseFlag
	outputFlags

	ID int64 `arg:"" help:"Which one, as listed."`
}

// Help is shown under the command's --help.
func (tokenRevokeCommand) Help() string { return "Example:\n\n    tasktide token revoke 3" }

func (tokenRevokeCommand) interrupted() string { return "the token was not revoked" }

// Run revokes a token.
func (c tokenRevokeCommand) Run(ctx context.Context, t *terminal) (err error) {
	db, err := c.databaseFlag.open(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := db.DeleteToken(context.WithoutCancel(ctx), c.ID); err != nil { // one that is cut off may be committed or not
		return err
	}
	return t.result(revokedToken{c.ID, true}, t.prose("Token %d is no longer valid.\n", c.ID))
}

// second writes an instant in microseconds since the Unix epoch, in UTC.
func second(microseconds int64) string {
	return time.UnixMicro(microseconds).UTC().Format(time.RFC3339)
}
