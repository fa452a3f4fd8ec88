package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

// unicode is a collation that knows the case of every letter, which that of the database may not.
const unicode = "und-x-icu"

// schemaLock is any number: locks are the database's own.
const schemaLock = "7457383957"

func dialect(config *pgx.ConnConfig) sqlstore.Dialect {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the path is a constant
	}
	return sqlstore.Dialect{
		System:     "postgresql",
		Migrations: files,
		Tables:     "SELECT table_name::text FROM information_schema.tables WHERE table_schema = current_schema()",
		Lock:       "SELECT 1 FROM pg_advisory_lock(" + schemaLock + ")",
		Clock:      "SELECT clock_timestamp()",
		Parameter:  func(n int) string { return "$" + strconv.Itoa(n) },
		// Unlike FOR UPDATE it does not hold up those who only refer to the row by a foreign key.
		ForUpdate: " FOR NO KEY UPDATE",
		OneOf: func(column string, ids []int64) (string, []any) {
			return column + " = ANY (CAST(? AS bigint[]))", []any{ids}
		},
		Greatest:     "GREATEST",
		Lower:        func(text string) string { return "LOWER(CAST(" + text + ` AS text) COLLATE "` + unicode + `")` },
		SkipExisting: func(string) string { return " ON CONFLICT DO NOTHING" },
		ReturningID:  " RETURNING id",
		Overwrite:    sqlstore.OverwriteOnConflict,
		UseIndex:     func(string) string { return "" },
		Instant:      func(microseconds int64) any { return time.UnixMicro(microseconds).UTC() },
		Classify:     classify,
		Deadlock:     func(err error) bool { return state(err) == deadlockDetected },
		Room:         room,
		Database:     jobmon.Database{Name: "the database server " + address(config)},
		Explain:      func(err error) *jobmon.Error { return explain(config, err) },
	}
}

// room fills a temporary table, which is on the disk of the database.
func room(_ context.Context, exec func(statement string) error) error {
	err := exec("CREATE TEMPORARY TABLE tasktide_room (filler text) ON COMMIT DROP")
	if state(err) == insufficientPrivilege {
		return nil // the account may have everything else
	}
	if err != nil {
		return err
	}
	return exec("INSERT INTO tasktide_room (filler) SELECT repeat('x', 1000) FROM generate_series(1, 1000)")
}

// state returns the SQLSTATE of an error of the server, and nothing for another.
func state(err error) string {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failure.Code
	}
	return ""
}

// message returns what the server says of an error, in one line.
func message(err error) string {
	if failure, ok := errors.AsType[*pgconn.PgError](err); ok {
		return failure.Message
	}
	return err.Error()
}

const deadlockDetected, insufficientPrivilege = "40P01", "42501"

// classify knows the SQLSTATEs that a request may meet.
func classify(err error) sqlstore.Failure {
	switch code := state(err); code {
	case "":
		if disconnected(err) {
			return sqlstore.Outage(jobmon.CauseUnreachable)
		}
		return sqlstore.Unknown()
	case "23505": // unique_violation
		return sqlstore.Request(jobmon.CodeConflict)
	case "23503": // foreign_key_violation
		return sqlstore.Request(jobmon.CodeNotFound)
	case "23514", "22021", "22P05", "22003", "22008": // check, encoding, out of range
		return sqlstore.Request(jobmon.CodeInvalid)
	case "22001", "54000": // too long, too large for an index
		return sqlstore.Request(jobmon.CodeTooLarge)
	case "40001", deadlockDetected: // serialization_failure
		return sqlstore.Contended("")
	case "55P03": // lock_not_available
		return sqlstore.Contended(jobmon.CauseLocked)
	default:
		return classifyOutage(code)
	}
}

// classifyOutage knows the SQLSTATEs of a database that cannot do what any request asks: whole classes by their first
// two characters.
func classifyOutage(code string) sqlstore.Failure {
	switch code {
	case "53100": // disk_full
		return sqlstore.Outage(jobmon.CauseDiskFull)
	case "53300": // too_many_connections
		return sqlstore.Outage(jobmon.CauseTooManyConnections)
	case "25006": // read_only_sql_transaction, of a server that was the primary
		return sqlstore.Outage(jobmon.CauseReadOnly)
	case "XX001", "XX002", "58P01": // data_corrupted, index_corrupted, undefined_file
		return sqlstore.Outage(jobmon.CauseCorrupt)
	case insufficientPrivilege: // which the account had when the store was opened
		return sqlstore.Outage(jobmon.CausePermission)
	case "57014", "25P03": // query_canceled, by its timeout; idle_in_transaction_session_timeout
		return sqlstore.Outage(jobmon.CauseTimeout)
	}
	switch code[:2] {
	case "28": // invalid authorization
		return sqlstore.Outage(jobmon.CausePermission)
	case "3D": // invalid catalog name
		return sqlstore.Outage(jobmon.CauseMissing)
	case "08", "57": // connection, shutdown or start
		return sqlstore.Outage(jobmon.CauseUnreachable)
	case "58": // system error
		return sqlstore.Outage(jobmon.CauseIO)
	case "53": // resources
		return sqlstore.Outage("")
	}
	return sqlstore.Unknown()
}

// disconnected reports whether the server cannot be reached or has gone away.
func disconnected(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false // of the caller
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, gone := range []error{driver.ErrBadConn, pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return pgconn.SafeToRetry(err)
}

// address is where the server is: a host and its port, or the folder of a socket.
func address(config *pgx.ConnConfig) string {
	if strings.HasPrefix(config.Host, "/") {
		return config.Host
	}
	return net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
}

// explain says what a cause alone does not tell.
func explain(config *pgx.ConnConfig, err error) *jobmon.Error {
	user, database, host := config.User, config.Database, address(config)
	switch code := state(err); code {
	case "28P01", "28000":
		return jobmon.Errorf(jobmon.CodeInvalid,
			"the database server %s refuses user %q; correct the user, the password or pg_hba.conf", host, user)
	case "3D000":
		return jobmon.Errorf(jobmon.CodeInvalid, "there is no database %q at %s; create it or name another one", database, host)
	case "42501":
		return jobmon.Errorf(jobmon.CodeInvalid,
			"user %q lacks a privilege in database %q; make it the database's owner or grant it CREATE on the schema", user, database)
	case "3F000":
		return jobmon.Errorf(jobmon.CodeInvalid, "user %q has no schema in database %q; set its search_path", user, database)
	case "57P03":
		return jobmon.Errorf(jobmon.CodeUnavailable, "the database server %s is starting or shutting down; try again", host)
	case "42704", "22023":
		return jobmon.Errorf(jobmon.CodeInvalid, "the database does not know a parameter of its URL: %s", message(err))
	case "":
	default:
		if classify(err).Cause == "" {
			return jobmon.Errorf(jobmon.CodeInternal, "the database cannot be opened: %s", message(err))
		}
		return nil
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return jobmon.Errorf(jobmon.CodeUnavailable, "the database's host %s cannot be found; correct the host", config.Host)
	}
	if disconnected(err) && !errors.Is(err, context.Canceled) {
		return jobmon.Errorf(jobmon.CodeUnavailable,
			"the database server %s cannot be reached; start it, or correct the host, the port and sslmode", host)
	}
	return nil
}
