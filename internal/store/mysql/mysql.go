// Package mysql opens a store in a database of MySQL 8.0.17+ or MariaDB 10.6+.
//
// Whatever the server is set to, each connection has the settings that the store's answers depend on:
// time zone, SQL mode, isolation, storage engine. What cannot be set so is checked when the store is
// opened. Writers run at READ COMMITTED, and readers at REPEATABLE READ in a pool of their own.
package mysql

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	dialTime = 3 * time.Second
	// lockWait is how long a statement waits for a lock, in seconds.
	lockWait = 4
	// readTime and writeTime are how long a statement may run. MySQL bounds only what reads.
	readTime, writeTime = time.Minute, 30 * time.Second
	// idleTime is after how much silence a connection is closed, on our side; the server waits twice as
	// long and then drops what a machine that is gone has left locked.
	idleTime = 5 * time.Minute
)

// Open opens the store in the database that a URL names, mysql://USER:PASSWORD@HOST:PORT/DATABASE. The
// port is 3306 unless it is given; ?tls=true demands a server with a certificate that this machine
// trusts, ?tls=skip-verify one with any, and ?socket=PATH names a Unix socket in place of the host. The
// schema is left as it is. An error is one sentence that says what to do and holds no secret:
// CodeInvalid when the URL, the account, the server's version or one of its settings cannot be used,
// CodeUnavailable when the server cannot be reached.
func Open(ctx context.Context, databaseURL string) (*sqlstore.Store, error) {
	config, err := parse(databaseURL)
	if err != nil {
		return nil, err
	}
	server, err := inspect(ctx, config)
	if err != nil {
		return nil, sqlstore.ExplainOpening(dialect(config), err)
	}
	if err := server.check(); err != nil {
		return nil, err
	}
	write, err := pool(config, server.writeSettings(), sqlstore.Writers(server.maxConnections))
	if err != nil {
		return nil, err
	}
	read, err := pool(config, server.readSettings(), sqlstore.Readers(server.maxConnections))
	if err != nil {
		return nil, err
	}
	return sqlstore.New(write, read, dialect(config)), nil
}

// parse makes a driver's configuration of a URL.
func parse(databaseURL string) (*mysql.Config, error) {
	invalid := func(format string, args ...any) error {
		return jobmon.Errorf(jobmon.CodeInvalid, "the database URL "+format+
			"; write mysql://USER:PASSWORD@HOST:PORT/DATABASE, and a special character in a name or password as %%XX", args...)
	}
	// What the parser says would quote the URL, with its password.
	parsed, err := url.Parse(databaseURL)
	if err != nil {
		return nil, invalid("cannot be read")
	}
	config := mysql.NewConfig()
	config.User = parsed.User.Username()
	config.Passwd, _ = parsed.User.Password()
	config.DBName = strings.TrimPrefix(parsed.Path, "/")
	config.Net = "tcp"
	port := parsed.Port()
	if port == "" {
		port = "3306"
	}
	config.Addr = net.JoinHostPort(parsed.Hostname(), port)
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return nil, invalid("has parameters that cannot be read")
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		value := query.Get(name)
		switch {
		case name == "socket":
			config.Net, config.Addr = "unix", value
		case name == "tls" && slices.Contains([]string{"true", "false", "skip-verify", "preferred"}, value):
			config.TLSConfig = value
		case name == "tls":
			return nil, invalid("has tls=%s, which is not true, false, skip-verify or preferred", value)
		default:
			return nil, invalid("has a parameter %q; there are only tls and socket", name)
		}
	}
	number, err := strconv.ParseUint(port, 10, 16)
	switch {
	case parsed.Scheme != "mysql":
		return nil, invalid("does not begin with mysql://")
	case config.Net == "tcp" && parsed.Hostname() == "":
		return nil, invalid("names no host")
	case err != nil || number == 0:
		return nil, invalid("has the port %q", port)
	case config.User == "":
		return nil, invalid("names no user")
	case config.DBName == "" || strings.Contains(config.DBName, "/"):
		return nil, invalid("names no database")
	}
	config.Timeout = dialTime
	config.Loc = time.UTC
	config.ParseTime = true
	// An UPDATE tells how many rows it found, not how many of them it left different.
	config.ClientFoundRows = true
	// One round trip for a statement instead of two, and no limit on parameters.
	config.InterpolateParams = true
	// What the server allows, which it tells when a connection begins.
	config.MaxAllowedPacket = 0
	// The driver reports what it returns as an error too.
	config.Logger = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	return config, nil
}

// pool makes a pool of connections with settings.
func pool(config *mysql.Config, settings map[string]string, connections int) (*sql.DB, error) {
	config = config.Clone()
	config.Params = settings
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, fmt.Errorf("the database's settings cannot be used: %w", err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(idleTime)
	return db, nil
}
