-- Which attempt at the task a row belongs to, from 0, since the task was last reset: that of the status entered or,
-- into G and A, which belong to none, that of the status left.
ALTER TABLE task_status_audit ADD COLUMN retry INTEGER NOT NULL DEFAULT 0;
-- In rows from before they are counted: an attempt begins when the task is queued, and is forgotten when the task is
-- reset, which is when it enters G but from E, or A after it was given up. At the last ones the task says how many
-- there were, also of those whose rows are removed.
UPDATE task_status_audit SET retry = counted.retry FROM (
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
) counted
WHERE counted.id = task_status_audit.id AND counted.retry > 0;

-- Every minute is summed up again, of the attempts after the first and of how long runs take. Where rows are removed,
-- neither is known.
ALTER TABLE workflow_horizon ADD COLUMN runs_lost INTEGER NOT NULL DEFAULT 0;
UPDATE workflow_horizon SET runs_lost = 1 WHERE rows_from > 0;
INSERT INTO concurrency_mark (workflow_id, minute)
SELECT DISTINCT s.workflow_id, s.changed_at / 60000000
FROM task_status_audit s LEFT JOIN workflow_horizon h ON h.workflow_id = s.workflow_id
WHERE h.rows_from IS NULL OR s.changed_at >= h.rows_from;
