-- What is written is held against the latest of these each time. A migration that was cut off is run again,
-- and not every server knows CREATE INDEX IF NOT EXISTS.
SET @missing = (
    SELECT COUNT(*) = 0 FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'workflow_horizon' AND index_name = 'idx_workflow_horizon_rows_from'
);
SET @statement = IF(@missing, 'CREATE INDEX idx_workflow_horizon_rows_from ON workflow_horizon (rows_from)', 'DO 0');
PREPARE create_index FROM @statement;
EXECUTE create_index;
DEALLOCATE PREPARE create_index;
