package main

import (
	"context"
	"errors"
	"time"

	"tasktide/internal/api"
	"tasktide/internal/client"
	"tasktide/internal/jobmon"
	"tasktide/internal/ledger"
	"tasktide/internal/store/sqlite"
	"tasktide/internal/store/sqlstore"
	"tasktide/internal/timeline"
)

// sourceFlags say where a command reads from: a database, or a server that runs. Both answer the same requests.
type sourceFlags struct {
	databaseFlag

	Server    string        `placeholder:"URL" help:"Read from this server, such as http://127.0.0.1:8070, instead of a database."`
	Token     secret        `env:"TASKTIDE_TOKEN" placeholder:"TEXT" help:"Token for --server. Other users of this machine can read flags: use the environment or a file."`
	TokenFile string        `env:"TASKTIDE_TOKEN_FILE" placeholder:"FILE" help:"File that holds the token."`
	Timeout   time.Duration `default:"2m" placeholder:"TIME" help:"Longest time for the command (${default})."`
}

// open returns a client of what the flags name, the context within which it is used, and what ends it.
func (f sourceFlags) open(ctx context.Context, t *terminal) (context.Context, *client.Client, func() error, error) {
	if f.Timeout <= 0 {
		return nil, nil, nil, jobmon.FieldErrorf("timeout", "--timeout must be more than 0, such as 30s or 2m")
	}
	late := jobmon.Errorf(jobmon.CodeUnavailable,
		"there was no complete answer within %s; allow more with --timeout, or request less", f.Timeout)
	ctx, cancel := context.WithTimeoutCause(ctx, f.Timeout, late)
	ended := func() error { cancel(); return nil }
	if f.Server != "" {
		token, err := f.token()
		if err != nil {
			return nil, nil, nil, errors.Join(err, ended())
		}
		remote, err := client.Remote(f.Server, token)
		if err != nil {
			return nil, nil, nil, errors.Join(err, ended())
		}
		return ctx, remote, ended, nil
	}
	db, err := f.databaseFlag.openReader(ctx)
	if err != nil {
		return nil, nil, nil, errors.Join(err, ended())
	}
	local, stop := client.Local(api.New(api.Config{
		Catalog: db, Reader: db, Ledger: ledger.New(db, t.log), Timeline: timeline.New(db, nil),
		Version: version, Log: t.log,
		// The command's own time is the only bound: nobody else waits.
		ReadTimeout: f.Timeout, TakeWait: f.Timeout,
	}), t.log)
	return ctx, local, func() error {
		cancel()
		return errors.Join(stop(), db.Close())
	}, nil
}

func (sourceFlags) interrupted() string { return "the result is not complete; nothing was changed" }

// token returns the token and where it is from.
func (f sourceFlags) token() (client.Token, error) {
	value, err := readSecret(f.Token, f.TokenFile, "TASKTIDE_TOKEN")
	if err != nil {
		return client.Token{}, err
	}
	from := "TASKTIDE_TOKEN or --token"
	if f.TokenFile != "" {
		from = "the file " + f.TokenFile
		if value == "" {
			return client.Token{}, jobmon.FieldErrorf("token_file", "the file %s holds no token", f.TokenFile)
		}
	}
	return client.Token{Value: value, From: from}, nil
}

// openReader opens the database for reading only. Neither its schema nor anything else of it is changed.
func (f databaseFlag) openReader(ctx context.Context) (*sqlstore.Store, error) {
	open := sqlite.OpenReader
	if f.scheme() != sqliteScheme {
		open = func(ctx context.Context, _ string) (*sqlstore.Store, error) { return f.connect(ctx) }
	} else if _, exists, err := sqlite.Find(f.DatabaseURL); err == nil && !exists || f.DatabaseURL == defaultDatabaseURL() && err != nil {
		return nil, jobmon.Errorf(jobmon.CodeNotFound,
			"there is no database %s; name one with --database-url, or a server with --server", f.shown())
	}
	db, err := open(ctx, f.DatabaseURL)
	if err != nil {
		return nil, err
	}
	if err := db.CheckReady(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}
