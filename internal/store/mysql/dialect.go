package mysql

import (
	"context"
	"crypto/tls"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"strings"
	"syscall"
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
		Room:     room,
		Database: jobmon.Database{Name: "the database server " + config.Addr},
		Explain:  func(err error) *jobmon.Error { return explain(config, err) },
	}
}

// room fills a table of its own, which is a file of its own: in another, there may be space that was freed.
func room(_ context.Context, exec func(statement string) error) error {
	name := fmt.Sprintf("tasktide_room_%d", rand.Uint64())
	err := exec("CREATE TABLE " + name + " (filler LONGTEXT)")
	if number(err) == erTableAccessDenied {
		return nil // the account may have everything else
	}
	for i := 0; i < 16 && err == nil; i++ {
		err = exec("INSERT INTO " + name + " (filler) VALUES (REPEAT('x', 65536))")
	}
	return errors.Join(err, exec("DROP TABLE IF EXISTS "+name))
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
	erConnectionKilled    = 1927 // MariaDB
	erInterrupted         = 1317
	erStatementTimeout    = 1969 // MariaDB
	erQueryTimeout        = 3024
	erDiskFull            = 1021
	erTableFull           = 1114
	erDiskFullNoWait      = 3675
	erReadOnlyOption      = 1290
	erReadOnlyTransaction = 1792
	erReadOnlyMode        = 1836
	erReadOnlyEngine      = 1874
	erReadOnlyTable       = 1036
	erNotFormFile         = 1033
	erNotKeyFile          = 1034
	erOldKeyFile          = 1035
	erCrashedOnUsage      = 1194
	erCrashedOnRepair     = 1195
	erIndexCorrupt        = 1712
	erTablespaceMissing   = 1812
	erTableCorrupt        = 1877
	erNoTableInEngine     = 1932
	erUnknownHost         = 1130
	erHostBlocked         = 1129
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

	// These hold the number of the operating system, or of the storage engine, in their text only.
	erWriteFile      = 3
	erCannotCreate   = 1004
	erNoTable        = 1005
	erNoDatabase     = 1006
	erOpenFile       = 1016
	erReadFile       = 1024
	erErrorOnWrite   = 1026
	erStorageEngine  = 1030
	erStorageEngine2 = 1296
)

// inner finds the number in the text of such an error.
var inner = regexp.MustCompile(`(?:errno:|Errcode:|Got error) (\d+)`)

// causeOf returns what an error of the operating system or of the storage engine means.
func causeOf(text string) jobmon.Cause {
	found := inner.FindStringSubmatch(text)
	if found == nil {
		return ""
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		return ""
	}
	switch n {
	case 126, 127, 144, 145, 180: // HA_ERR_CRASHED and the like, HA_ERR_INDEX_CORRUPT
		return jobmon.CauseCorrupt
	case 135, 136: // HA_ERR_RECORD_FILE_FULL, HA_ERR_INDEX_FILE_FULL
		return jobmon.CauseDiskFull
	}
	switch syscall.Errno(n) { //nolint:exhaustive // the others mean nothing here
	case syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG:
		return jobmon.CauseDiskFull
	case syscall.EROFS:
		return jobmon.CauseReadOnly
	case syscall.EACCES, syscall.EPERM:
		return jobmon.CausePermission
	case syscall.EIO:
		return jobmon.CauseIO
	}
	return ""
}

func number(err error) uint16 {
	if failure, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return failure.Number
	}
	return 0
}

// classify knows the numbers that a request may meet.
func classify(err error) sqlstore.Failure {
	switch number(err) {
	case 0:
		if disconnected(err) {
			return sqlstore.Outage(jobmon.CauseUnreachable)
		}
		if errors.Is(err, mysql.ErrPktTooLarge) {
			return sqlstore.Request(jobmon.CodeTooLarge)
		}
	case erDupEntry, erRowIsReferenced, erRowIsReferenced2:
		return sqlstore.Request(jobmon.CodeConflict)
	case erNoReferencedRow, erNoReferencedRow2:
		return sqlstore.Request(jobmon.CodeNotFound)
	case erCheckViolated, erConstraintFailed, erOutOfRange, erTruncatedValue, erWrongValue:
		return sqlstore.Request(jobmon.CodeInvalid)
	case erDataTooLong, erPacketTooLarge:
		return sqlstore.Request(jobmon.CodeTooLarge)
	case erDeadlock, erRecordChanged, erTableChanged:
		return sqlstore.Contended("")
	case erLockWaitTimeout:
		return sqlstore.Contended(jobmon.CauseLocked)
	default:
		return classifyOutage(err)
	}
	return sqlstore.Unknown()
}

// classifyOutage knows the numbers of a database that cannot do what any request asks.
func classifyOutage(err error) sqlstore.Failure {
	switch number(err) {
	case erTooManyConnections, erTooManyOfUser, erUserLimit:
		return sqlstore.Outage(jobmon.CauseTooManyConnections)
	case erShutdown, erConnectionKilled:
		return sqlstore.Outage(jobmon.CauseUnreachable)
	case erInterrupted, erStatementTimeout, erQueryTimeout:
		return sqlstore.Outage(jobmon.CauseTimeout)
	case erDiskFull, erTableFull, erDiskFullNoWait:
		return sqlstore.Outage(jobmon.CauseDiskFull)
	case erReadOnlyOption, erReadOnlyTransaction, erReadOnlyMode, erReadOnlyEngine, erReadOnlyTable:
		return sqlstore.Outage(jobmon.CauseReadOnly)
	case erNotFormFile, erNotKeyFile, erOldKeyFile, erCrashedOnUsage, erCrashedOnRepair, erIndexCorrupt, erTablespaceMissing,
		erTableCorrupt, erNoTableInEngine:
		return sqlstore.Outage(jobmon.CauseCorrupt)
	case erUnknownDatabase:
		return sqlstore.Outage(jobmon.CauseMissing)
	case erUnknownHost, erHostBlocked, erAccessDenied, erAccessDeniedNoPass, erDatabaseDenied, erTableAccessDenied, erColumnDenied,
		erPrivilegeNeeded, erAuthenticationOther, erPasswordExpired, erAccountLocked, erMustChangePassword, erNoSuchPlugin:
		return sqlstore.Outage(jobmon.CausePermission)
	case erWriteFile, erCannotCreate, erNoTable, erNoDatabase, erOpenFile, erReadFile, erErrorOnWrite, erStorageEngine, erStorageEngine2:
		if cause := causeOf(err.Error()); cause != "" {
			return sqlstore.Outage(cause)
		}
	}
	return sqlstore.Unknown()
}

// disconnected reports whether the server cannot be reached or has gone away.
func disconnected(err error) bool {
	if _, ok := errors.AsType[*net.OpError](err); ok {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false // of the caller
	}
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

// explain says what a cause alone does not tell.
func explain(config *mysql.Config, err error) *jobmon.Error {
	user, database, host := config.User, config.DBName, config.Addr
	switch number(err) {
	case erAccessDenied, erAccessDeniedNoPass, erUnknownHost, erAuthenticationOther, erNoSuchPlugin:
		return jobmon.Errorf(jobmon.CodeInvalid, "the database server %s refuses user %q; correct the user or the password", host, user)
	case erPasswordExpired, erAccountLocked, erMustChangePassword:
		return jobmon.Errorf(jobmon.CodeInvalid, "the account of user %q at %s is locked or its password has expired; renew it", user, host)
	case erUnknownDatabase:
		return jobmon.Errorf(jobmon.CodeInvalid, "there is no database %q at %s; create it or name another one", database, host)
	case erDatabaseDenied, erTableAccessDenied, erColumnDenied, erPrivilegeNeeded:
		return jobmon.Errorf(jobmon.CodeInvalid, "user %q lacks a privilege in database %q; grant ALL PRIVILEGES on it", user, database)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return jobmon.Errorf(jobmon.CodeUnavailable, "the database's host %s cannot be found; correct the host", host)
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok || errors.Is(err, mysql.ErrNoTLS) {
		return jobmon.Errorf(jobmon.CodeInvalid,
			"no trusted TLS connection to %s is possible; correct ?tls= or the server's certificate", host)
	}
	return nil
}
