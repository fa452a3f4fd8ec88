-- What retention holds its clock against: one row. clock_at is the instant of the last pass whose clock was believed, or, as
-- long as passed is 0, of the newest row of the audit at this migration. Everything before rows_before and data_before may
-- have been removed.
CREATE TABLE IF NOT EXISTS retention_clock (
    id          BIGINT      NOT NULL PRIMARY KEY,
    passed      BIGINT      NOT NULL,
    clock_at    DATETIME(6) NULL,
    rows_before DATETIME(6) NULL,
    data_before DATETIME(6) NULL
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;
INSERT INTO retention_clock (id, passed, clock_at, rows_before, data_before)
SELECT 1, 0, (SELECT stored_at FROM task_status_audit ORDER BY id DESC LIMIT 1),
    (SELECT MAX(rows_from) FROM workflow_horizon WHERE rows_from > '1970-01-01 00:00:00'),
    (SELECT MAX(data_from) FROM workflow_horizon WHERE data_from > '1970-01-01 00:00:00')
ON DUPLICATE KEY UPDATE retention_clock.passed = retention_clock.passed;
