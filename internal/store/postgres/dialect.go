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
		Explain:      func(err error) error { return explain(config, err) },
	}
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

const deadlockDetected = "40P01"

// classify knows the SQLSTATEs that a request may meet: whole classes by their first two letters.
func classify(err error) (code jobmon.Code, retry bool) {
	switch code := state(err); code {
	case "":
		if disconnected(err) {
			return jobmon.CodeUnavailable, false // not again: it may have been stored
		}
		return jobmon.CodeInternal, false
	case "23505": // unique_violation
		return jobmon.CodeConflict, false
	case "23503": // foreign_key_violation
		return jobmon.CodeNotFound, false
	case "23514", "22021", "22P05", "22003", "22008": // check, encoding, out of range
		return jobmon.CodeInvalid, false
	case "22001", "54000": // too long, too large for an index
		return jobmon.CodeTooLarge, false
	case "40001", deadlockDetected, "55P03": // serialization_failure, and lock_not_available
		return jobmon.CodeContention, true
	case "57014", // query_canceled, by its timeout
		"25P03", // idle_in_transaction_session_timeout
		"25006", // read_only_sql_transaction, of a server that was the primary
		"42501": // insufficient_privilege, which the account had when the store was opened
		return jobmon.CodeUnavailable, false
	default:
		switch code[:2] {
		case "08", "28", "3D", "53", "57", "58": // connection, account, database, resources, shutdown, disk
			return jobmon.CodeUnavailable, false
		}
		return jobmon.CodeInternal, false
	}
}

// disconnected reports whether the server cannot be reached or has gone away.
func disconnected(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	for _, gone := range []error{driver.ErrBadConn, pgconn.ErrConnClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return pgconn.SafeToRetry(err)
}

// explain turns what went wrong while a database was being opened into a sentence.
func explain(config *pgx.ConnConfig, err error) error {
	if known, ok := errors.AsType[*jobmon.Error](err); ok && known.Err == nil {
		return err
	}
	sentence := func(code jobmon.Code, format string, args ...any) error {
		told := jobmon.Errorf(code, format, args...)
		told.Err = err
		return told
	}
	host := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	if strings.HasPrefix(config.Host, "/") {
		host = config.Host
	}
	user, database := config.User, config.Database
	switch code := state(err); {
	case code == "28P01", code == "28000":
		return sentence(jobmon.CodeInvalid,
			"the database server %s refuses user %q; correct the user, the password or pg_hba.conf", host, user)
	case code == "3D000":
		return sentence(jobmon.CodeInvalid, "there is no database %q at %s; create it or name another one", database, host)
	case code == "42501":
		return sentence(jobmon.CodeInvalid,
			"user %q lacks a privilege in database %q; make it the database's owner or grant it CREATE on the schema", user, database)
	case code == "3F000":
		return sentence(jobmon.CodeInvalid, "user %q has no schema in database %q; set its search_path", user, database)
	case code == "25006":
		return sentence(jobmon.CodeInvalid, "the database server %s only reads; name the one that writes", host)
	case code == "53300":
		return sentence(jobmon.CodeUnavailable,
			"the database server %s has no connection left; raise max_connections or end other clients", host)
	case code == "57P03":
		return sentence(jobmon.CodeUnavailable, "the database server %s is starting or shutting down; try again", host)
	case code == "55P03", code == "40P01":
		return sentence(jobmon.CodeUnavailable, "the database is locked by another process; try again when it has ended")
	case code == "42704", code == "22023":
		return sentence(jobmon.CodeInvalid, "the database does not know a parameter of its URL: %s", message(err))
	case code != "":
		return sentence(jobmon.CodeInternal, "the database cannot be opened: %s", message(err))
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return sentence(jobmon.CodeUnavailable, "the database's host %s cannot be found; correct the host", config.Host)
	}
	if errors.Is(err, context.Canceled) {
		return sentence(jobmon.CodeUnavailable, "the database was not opened in time")
	}
	if disconnected(err) {
		return sentence(jobmon.CodeUnavailable,
			"the database server %s cannot be reached; start it, or correct the host, the port and sslmode", host)
	}
	return sentence(jobmon.CodeInternal, "the database cannot be opened: %s", err.Error())
}
