// Package postgres opens a store in a database of PostgreSQL 14+.
//
// Whatever the server, the database or the account is set to, each connection has the settings that the
// store's answers depend on. Writers run at READ COMMITTED, and readers at REPEATABLE READ in a pool of
// their own.
package postgres

import (
	"context"
	"database/sql"
	"embed"
	"maps"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	dialTime = 3 * time.Second
	// lockWait is how long a statement waits for a lock.
	lockWait = 4 * time.Second
	// readTime and writeTime are how long a statement may run.
	readTime, writeTime = time.Minute, 30 * time.Second
	// abandonTime is after how much silence inside a transaction the server ends it: a machine that is
	// gone may have left rows locked.
	abandonTime = time.Minute
	// idleTime is after how much silence a connection is closed.
	idleTime = 5 * time.Minute
)

// Open opens the store in the database that a URL names, postgres://USER:PASSWORD@HOST:PORT/DATABASE,
// with the parameters and the PG* environment variables that libpq knows. The schema is left as it is.
// An error is one sentence that says what to do and holds no secret: CodeInvalid when the URL, the
// account, the server's version or one of its settings cannot be used, CodeUnavailable when the server
// cannot be reached.
func Open(ctx context.Context, databaseURL string) (*sqlstore.Store, error) {
	config, err := parse(databaseURL)
	if err != nil {
		return nil, err
	}
	maxConnections, err := inspect(ctx, config)
	if err != nil {
		return nil, sqlstore.ExplainOpening(dialect(config), err)
	}
	write := pool(config, sqlstore.Writers(maxConnections), map[string]string{
		"default_transaction_isolation":       "read committed",
		"default_transaction_read_only":       "off",
		"default_transaction_deferrable":      "off",
		"statement_timeout":                   milliseconds(writeTime),
		"idle_in_transaction_session_timeout": milliseconds(abandonTime),
	})
	read := pool(config, sqlstore.Readers(maxConnections), map[string]string{
		"default_transaction_isolation": "repeatable read",
		"statement_timeout":             milliseconds(readTime),
	})
	return sqlstore.New(write, read, dialect(config)), nil
}

// parse makes a driver's configuration of a URL.
func parse(databaseURL string) (*pgx.ConnConfig, error) {
	invalid := func(what string) error {
		return jobmon.Errorf(jobmon.CodeInvalid, "the database URL %s; write postgres://USER:PASSWORD@HOST:PORT/DATABASE, "+
			"and a special character in a name or password as %%XX", what)
	}
	// What the parsers say would quote the URL, with its password.
	parsed, err := url.Parse(databaseURL)
	switch {
	case err != nil:
		return nil, invalid("cannot be read")
	case parsed.Scheme != "postgres":
		return nil, invalid("does not begin with postgres://")
	case strings.Trim(parsed.Path, "/") == "" && !parsed.Query().Has("dbname"):
		return nil, invalid("names no database")
	}
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, invalid("has a part that cannot be used: check its port and its parameters, and the files that they name")
	}
	config.ConnectTimeout = dialTime
	return config, nil
}

// pool makes a pool of connections with settings.
func pool(config *pgx.ConnConfig, connections int, settings map[string]string) *sql.DB {
	config = config.Copy()
	config.RuntimeParams["timezone"] = "UTC"
	config.RuntimeParams["application_name"] = "tasktide"
	config.RuntimeParams["lock_timeout"] = milliseconds(lockWait)
	// Compiling a query takes longer than any of ours.
	config.RuntimeParams["jit"] = "off"
	maps.Copy(config.RuntimeParams, settings)
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(idleTime)
	return db
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// inspect connects once, refuses a server that would give other answers than the rest, and returns how
// many connections it allows.
func inspect(ctx context.Context, config *pgx.ConnConfig) (maxConnections int, err error) {
	db := pool(config, 1, map[string]string{"statement_timeout": milliseconds(readTime)})
	defer db.Close()
	var number int
	var version, encoding string
	err = db.QueryRowContext(ctx, `
		SELECT current_setting('max_connections')::int, current_setting('server_version_num')::int,
			current_setting('server_version'), current_setting('server_encoding')`).
		Scan(&maxConnections, &number, &version, &encoding)
	if err != nil {
		return 0, err
	}
	if number < 140_000 {
		return 0, jobmon.Errorf(jobmon.CodeInvalid, "the database is PostgreSQL %s, which is too old; 14 or newer is needed", version)
	}
	if encoding != "UTF8" {
		return 0, jobmon.Errorf(jobmon.CodeInvalid,
			"the database has server_encoding=%s, which cannot hold every name; create it with ENCODING 'UTF8'", encoding)
	}
	var collation bool
	err = db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM pg_collation WHERE collname = $1)", unicode).Scan(&collation)
	if err == nil && !collation {
		err = jobmon.Errorf(jobmon.CodeInvalid,
			"the database server has no collation %q; use one that was built with ICU, as packages of PostgreSQL are", unicode)
	}
	return maxConnections, err
}
