-- Which minutes (since the Unix epoch, UTC) have rows in the audit that the cells do not tell of yet:
-- written in the transaction that writes the rows, and never twice under one id.
CREATE TABLE IF NOT EXISTS concurrency_mark (
    id          BIGINT AUTO_INCREMENT PRIMARY KEY,
    workflow_id BIGINT NOT NULL,
    minute      BIGINT NOT NULL,
    INDEX idx_concurrency_mark_workflow_minute (workflow_id, minute)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- What the audit says, summed up: for a status, PENDING or ACTIVE, adjacent cells of cell_minutes each, the
-- first of which begins at first_minute. With cell_minutes = 0 it is what all that was removed sums up to.
CREATE TABLE IF NOT EXISTS concurrency_block (
    workflow_id  BIGINT     NOT NULL,
    status       VARCHAR(7) NOT NULL,
    cell_minutes BIGINT     NOT NULL,
    first_minute BIGINT     NOT NULL,
    generation   BIGINT     NOT NULL,
    cells        LONGBLOB   NOT NULL,
    PRIMARY KEY (workflow_id, status, cell_minutes, first_minute)
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- How far back a workflow's history reaches: its rows, and its cells. first_at and last_at are its first and
-- last transition as far as those are removed. kept says that nothing is removed because of its age.
CREATE TABLE IF NOT EXISTS workflow_horizon (
    workflow_id BIGINT      NOT NULL PRIMARY KEY,
    rows_from   DATETIME(6) NOT NULL,
    data_from   DATETIME(6) NOT NULL,
    first_at    DATETIME(6) NULL,
    last_at     DATETIME(6) NULL,
    generation  BIGINT      NOT NULL,
    kept        BIGINT      NOT NULL
) COLLATE /*M! utf8mb4_nopad_bin */ /*!80017 utf8mb4_0900_bin */;

-- Rows that are there already are summed up as if they had just been written. A mark too many does no harm.
INSERT INTO concurrency_mark (workflow_id, minute)
SELECT DISTINCT workflow_id, TIMESTAMPDIFF(MINUTE, '1970-01-01 00:00:00', changed_at) FROM task_status_audit;
INSERT INTO workflow_horizon (workflow_id, rows_from, data_from, generation, kept)
SELECT workflow_id, '1970-01-01 00:00:00', '1970-01-01 00:00:00', 0, 1 FROM workflow_import
ON DUPLICATE KEY UPDATE kept = kept;
