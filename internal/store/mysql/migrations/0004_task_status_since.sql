-- The tasks in a status by when they entered it, with their templates: a page of them costs what it holds, and
-- to count them takes no look at each. A migration that was cut off is run again, and not every server knows
-- CREATE INDEX IF NOT EXISTS.
SET @missing = (
    SELECT COUNT(*) = 0 FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'task' AND index_name = 'idx_task_workflow_status_since'
);
SET @statement = IF(@missing,
    'CREATE INDEX idx_task_workflow_status_since ON task (workflow_id, status, status_date, id, task_template_id)', 'DO 0');
PREPARE create_index FROM @statement;
EXECUTE create_index;
DEALLOCATE PREPARE create_index;

-- The foreign key to workflow has others.
SET @present = (
    SELECT COUNT(*) > 0 FROM information_schema.statistics
    WHERE table_schema = DATABASE() AND table_name = 'task' AND index_name = 'idx_task_workflow_status'
);
SET @statement = IF(@present, 'DROP INDEX idx_task_workflow_status ON task', 'DO 0');
PREPARE drop_index FROM @statement;
EXECUTE drop_index;
DEALLOCATE PREPARE drop_index;
