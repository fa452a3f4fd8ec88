package mysql

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"tasktide/internal/jobmon"
	"tasktide/internal/store/sqlstore"
)

func dialect(config *mysql.Config) sqlstore.Dialect {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the path is a constant
	}
	return sqlstore.Dialect{
		System:     "mysql",
		Migrations: files,
		Tables:     "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()",
		// Locks are the server's, not the database's.
		Lock:      "SELECT GET_LOCK(CONCAT('tasktide ', LEFT(SHA2(DATABASE(), 256), 32)), 4)",
		Clock:     "SELECT UTC_TIMESTAMP(6)",
		Parameter: func(int) string { return "?" },
		ForUpdate: " FOR UPDATE",
		OneOf: func(column string, ids []int64) (string, []any) {
			parameters := make([]any, len(ids))
			for i, id := range ids {
				parameters[i] = id
			}
			return column + " IN (" + strings.Repeat("?,", len(ids)-1) + "?)", parameters
		},
		Greatest:     "GREATEST",
		Lower:        func(text string) string { return "LOWER(" + text + ")" },
		SkipExisting: func(column string) string { return " ON DUPLICATE KEY UPDATE " + column + " = " + column },
		Overwrite: func(_, columns []string) string {
			set := make([]string, len(columns))
			for i, column := range columns {
				set[i] = column + " = VALUES(" + column + ")"
			}
			return " ON DUPLICATE KEY UPDATE " + strings.Join(set, ", ")
		},
		UseIndex: func(index string) string { return " FORCE INDEX (" + index + ")" },
		Instant:  instant,
		Classify: classify,
		Deadlock: func(err error) bool { return number(err) == erDeadlock },
		Explain:  func(err error) error { return explain(config, err) },
	}
}

// instant always has all digits: GREATEST may compare it as text.
func instant(microseconds int64) any {
	return time.UnixMicro(microseconds).UTC().Format("2006-01-02 15:04:05.000000")
}

// Error numbers of the server, as its manual names them.
const (
	erDupEntry            = 1062
	erNoReferencedRow     = 1216
	erNoReferencedRow2    = 1452
	erRowIsReferenced     = 1217
	erRowIsReferenced2    = 1451
	erCheckViolated       = 3819
	erConstraintFailed    = 4025 // MariaDB's for the same
	erDataTooLong         = 1406
	erPacketTooLarge      = 1153
	erOutOfRange          = 1264
	erTruncatedValue      = 1366
	erWrongValue          = 1292
	erDeadlock            = 1213
	erLockWaitTimeout     = 1205
	erRecordChanged       = 1020
	erTableChanged        = 1412
	erTooManyConnections  = 1040
	erTooManyOfUser       = 1203
	erUserLimit           = 1226
	erShutdown            = 1053
	erKilled              = 1927 // MariaDB's, of a connection
	erInterrupted         = 1317
	erStatementTimeout    = 1969 // MariaDB
	erQueryTimeout        = 3024
	erDiskFull            = 1021
	erTableFull           = 1114
	erReadOnlyOption      = 1290
	erReadOnlyMode        = 1836
	erUnknownHost         = 1130
	erAccessDenied        = 1045
	erAccessDeniedNoPass  = 1698
	erDatabaseDenied      = 1044
	erUnknownDatabase     = 1049
	erTableAccessDenied   = 1142
	erColumnDenied        = 1143
	erPrivilegeNeeded     = 1227
	erAuthenticationOther = 1251
	erPasswordExpired     = 1820
	erAccountLocked       = 3118
	erMustChangePassword  = 1862
	erNoSuchPlugin        = 1524
)

func number(err error) uint16 {
	if failure, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return failure.Number
	}
	return 0
}

// classify knows the numbers that a request may meet.
func classify(err error) (code jobmon.Code, retry bool) {
	switch number(err) {
	case 0:
		if disconnected(err) {
			return jobmon.CodeUnavailable, false // not again: it may have been stored
		}
		if errors.Is(err, mysql.ErrPktTooLarge) {
			return jobmon.CodeTooLarge, false
		}
	case erDupEntry, erRowIsReferenced, erRowIsReferenced2:
		return jobmon.CodeConflict, false
	case erNoReferencedRow, erNoReferencedRow2:
		return jobmon.CodeNotFound, false
	case erCheckViolated, erConstraintFailed, erOutOfRange, erTruncatedValue, erWrongValue:
		return jobmon.CodeInvalid, false
	case erDataTooLong, erPacketTooLarge:
		return jobmon.CodeTooLarge, false
	case erDeadlock, erLockWaitTimeout, erRecordChanged, erTableChanged:
		return jobmon.CodeContention, true
	case erTooManyConnections, erTooManyOfUser, erUserLimit, erShutdown, erKilled, erInterrupted,
		erStatementTimeout, erQueryTimeout, erDiskFull, erTableFull, erReadOnlyOption, erReadOnlyMode,
		// What the account might do when the store was opened.
		erAccessDenied, erDatabaseDenied, erUnknownDatabase, erTableAccessDenied, erUnknownHost:
		return jobmon.CodeUnavailable, false
	}
	return jobmon.CodeInternal, false
}

// disconnected reports whether the server cannot be reached or has gone away.
func disconnected(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, gone := range []error{
		driver.ErrBadConn, mysql.ErrInvalidConn, mysql.ErrMalformPkt, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed,
	} {
		if errors.Is(err, gone) {
			return true
		}
	}
	return false
}

// explain turns what went wrong while a database was being opened into a sentence.
func explain(config *mysql.Config, err error) error {
	sentence := func(code jobmon.Code, format string, args ...any) error {
		told := jobmon.Errorf(code, format, args...)
		told.Err = err
		return told
	}
	if errors.Is(err, context.Canceled) {
		return sentence(jobmon.CodeUnavailable, "the database was not opened in time")
	}
	user, database, host := config.User, config.DBName, config.Addr
	switch number(err) {
	case erAccessDenied, erAccessDeniedNoPass, erUnknownHost, erAuthenticationOther, erNoSuchPlugin:
		return sentence(jobmon.CodeInvalid, "the database server %s refuses user %q; correct the user or the password", host, user)
	case erPasswordExpired, erAccountLocked, erMustChangePassword:
		return sentence(jobmon.CodeInvalid, "the account of user %q at %s is locked or its password has expired; renew it", user, host)
	case erUnknownDatabase:
		return sentence(jobmon.CodeInvalid, "there is no database %q at %s; create it or name another one", database, host)
	case erDatabaseDenied, erTableAccessDenied, erColumnDenied, erPrivilegeNeeded:
		return sentence(jobmon.CodeInvalid, "user %q lacks a privilege in database %q; grant ALL PRIVILEGES on it", user, database)
	case erReadOnlyOption, erReadOnlyMode:
		return sentence(jobmon.CodeInvalid, "the database server %s only reads; name the one that writes", host)
	case erTooManyConnections, erTooManyOfUser, erUserLimit:
		return sentence(jobmon.CodeUnavailable,
			"the database server %s has no connection left; raise max_connections or end other clients", host)
	case erDeadlock, erLockWaitTimeout:
		return sentence(jobmon.CodeUnavailable, "the database is locked by another process; try again when it has ended")
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return sentence(jobmon.CodeUnavailable, "the database's host %s cannot be found; correct the host", host)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || errors.Is(err, mysql.ErrNoTLS) {
		return sentence(jobmon.CodeInvalid, "no trusted TLS connection to %s is possible; correct ?tls= or the server's certificate", host)
	}
	if disconnected(err) {
		return sentence(jobmon.CodeUnavailable,
			"the database server %s cannot be reached; start it, or correct the host and the port", host)
	}
	return sentence(jobmon.CodeInternal, "the database cannot be opened: %s", err.Error())
}
