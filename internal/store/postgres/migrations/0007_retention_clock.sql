-- What retention holds its clock against: one row. clock_at is the instant of the last pass whose clock was believed, or, as
-- long as passed is 0, of the newest row of the audit at this migration. Everything before rows_before and data_before may
-- have been removed.
CREATE TABLE retention_clock (
    id          BIGINT      PRIMARY KEY,
    passed      BIGINT      NOT NULL,
    clock_at    TIMESTAMPTZ,
    rows_before TIMESTAMPTZ,
    data_before TIMESTAMPTZ
);
INSERT INTO retention_clock (id, passed, clock_at, rows_before, data_before)
SELECT 1, 0, (SELECT stored_at FROM task_status_audit ORDER BY id DESC LIMIT 1),
    (SELECT MAX(rows_from) FROM workflow_horizon WHERE rows_from > 'epoch'), (SELECT MAX(data_from) FROM workflow_horizon WHERE data_from > 'epoch');
