-- An imported run that is over and not complete was FAILED, and so was one whose tasks still run. The status of an imported
-- run follows from its tasks: RUNNING, FAILED, INCOMPLETE or DONE. INCOMPLETE is none of JobMon's.
INSERT INTO workflow_status (id, label, description) VALUES
    ('N', 'INCOMPLETE', 'Imported with tasks that are neither done nor failed for good.') ON DUPLICATE KEY UPDATE label = workflow_status.label;
UPDATE workflow SET status = 'R'
WHERE status = 'F' AND id IN (SELECT workflow_id FROM workflow_import)
    AND EXISTS (SELECT 1 FROM task WHERE task.workflow_id = workflow.id AND task.status IN ('Q', 'I', 'O', 'R'));
UPDATE workflow SET status = 'N'
WHERE status = 'F' AND id IN (SELECT workflow_id FROM workflow_import)
    AND NOT EXISTS (SELECT 1 FROM task WHERE task.workflow_id = workflow.id AND task.status = 'F');
