-- Which attempt at the task a row belongs to, from 0, since the task was last reset: that of the status entered or,
-- into G and A, which belong to none, that of the status left.
-- A migration that was cut off is run again, and not every server knows ADD COLUMN IF NOT EXISTS.
SET @missing = (
    SELECT COUNT(*) = 0 FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'task_status_audit' AND column_name = 'retry'
);
SET @statement = IF(@missing, 'ALTER TABLE task_status_audit ADD COLUMN retry BIGINT NOT NULL DEFAULT 0', 'DO 0');
PREPARE add_column FROM @statement;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;

-- In rows from before they are counted: an attempt begins when the task is queued, and is forgotten when the task is
-- reset, which is when it enters G but from E, or A after it was given up. At the last ones the task says how many
-- there were, also of those whose rows are removed.
UPDATE task_status_audit JOIN (
    SELECT numbered.id, CASE
        WHEN numbered.resets < numbered.all_resets OR t.num_attempts < numbered.all_attempts THEN numbered.attempts
        ELSE numbered.attempts + t.num_attempts - numbered.all_attempts
    END - 1 AS retry
    FROM (
        SELECT grouped.id, grouped.task_id, grouped.resets,
            SUM(grouped.queued) OVER (
                PARTITION BY grouped.task_id, grouped.resets ORDER BY grouped.changed_at, grouped.id
                ROWS UNBOUNDED PRECEDING
            ) AS attempts,
            SUM(grouped.queued) OVER (PARTITION BY grouped.task_id, grouped.resets) AS all_attempts,
            MAX(grouped.resets) OVER (PARTITION BY grouped.task_id) AS all_resets
        FROM (
            SELECT told.id, told.task_id, told.changed_at, told.queued,
                SUM(told.reset) OVER (PARTITION BY told.task_id ORDER BY told.changed_at, told.id ROWS UNBOUNDED PRECEDING)
                    - told.reset AS resets
            FROM (
                SELECT s.id, s.task_id, s.changed_at,
                    CASE WHEN s.new_status = 'Q' THEN 1 ELSE 0 END AS queued,
                    CASE
                        WHEN s.new_status = 'G' AND s.previous_status <> 'E' THEN 1
                        WHEN s.new_status = 'A' AND LAG(s.previous_status) OVER (
                            PARTITION BY s.task_id ORDER BY s.changed_at, s.id
                        ) = 'F' THEN 1
                        ELSE 0
                    END AS reset
                FROM task_status_audit s
                WHERE s.task_id IN (
                    SELECT id FROM task WHERE num_attempts > 1
                    UNION
                    SELECT task_id FROM task_status_audit WHERE new_status = 'Q' GROUP BY task_id HAVING COUNT(*) > 1
                )
            ) told
        ) grouped
    ) numbered
    JOIN task t ON t.id = numbered.task_id
) counted ON counted.id = task_status_audit.id
SET task_status_audit.retry = counted.retry WHERE counted.retry > 0;

-- Every minute is summed up again, of the attempts after the first and of how long runs take. Where rows are removed,
-- neither is known.
SET @missing = (
    SELECT COUNT(*) = 0 FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name = 'workflow_horizon' AND column_name = 'runs_lost'
);
SET @statement = IF(@missing, 'ALTER TABLE workflow_horizon ADD COLUMN runs_lost BIGINT NOT NULL DEFAULT 0', 'DO 0');
PREPARE add_column FROM @statement;
EXECUTE add_column;
DEALLOCATE PREPARE add_column;
UPDATE workflow_horizon SET runs_lost = 1 WHERE rows_from > '1970-01-01 00:00:00';
INSERT INTO concurrency_mark (workflow_id, minute)
SELECT DISTINCT s.workflow_id, TIMESTAMPDIFF(MINUTE, '1970-01-01 00:00:00', s.changed_at)
FROM task_status_audit s LEFT JOIN workflow_horizon h ON h.workflow_id = s.workflow_id
WHERE h.rows_from IS NULL OR s.changed_at >= h.rows_from;

-- A kind may have a longer name.
ALTER TABLE concurrency_block MODIFY status VARCHAR(20) NOT NULL;
