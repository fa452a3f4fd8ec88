import type { components, operations } from "./schema";

type Schemas = components["schemas"];

export type Workflow = Schemas["Workflow"];
export type WorkflowActivity = NonNullable<Workflow["activity"]>;
export type WorkflowList = Schemas["WorkflowList"];
export type TaskTemplateList = Schemas["TaskTemplateList"];
export type ConcurrencyColumns = Schemas["ConcurrencyColumns"];
export type ConcurrencySeries = Schemas["ConcurrencySeries"];
export type ConcurrencyLimit = Schemas["ConcurrencyLimit"];
export type Comparison = Schemas["Comparison"];
export type ServerHealth = Schemas["ServerHealth"];
export type Telemetry = Schemas["Telemetry"];
export type TelemetryBatch = Schemas["TelemetryBatch"];
export type TaskStatus = Schemas["TaskStatus"];
export type TaskAt = Schemas["TaskAt"];
export type TaskAtList = Schemas["TaskAtList"];
export type TemplateStats = Schemas["TemplateStats"];
export type TemplateStatsList = Schemas["TemplateStatsList"];
export type Suspect = Schemas["Suspect"];
export type SuspectGroup = Schemas["SuspectGroup"];
export type SuspectList = Schemas["SuspectList"];
export type TaskStatusChange = Schemas["TaskStatusChange"];
export type TaskStatusChangeList = Schemas["TaskStatusChangeList"];
export type TaskStatusHistory = Schemas["TaskStatusHistory"];
export type TaskStay = Schemas["TaskStay"];
export type TaskAttempt = Schemas["TaskAttempt"];
export type Server = Schemas["Server"];
export type ErrorAnswer = Schemas["ErrorAnswer"];
export type ErrorCode = ErrorAnswer["error"]["code"];

export type ConcurrencyQuery = NonNullable<operations["getTaskConcurrency"]["parameters"]["query"]>;
export type WorkflowQuery = NonNullable<operations["listWorkflows"]["parameters"]["query"]>;
export type TasksAtQuery = NonNullable<operations["listTasksAt"]["parameters"]["query"]>;
export type SuspectsQuery = NonNullable<operations["listSuspects"]["parameters"]["query"]>;
export type TaskStatusChangesQuery = NonNullable<
  operations["listTaskStatusChanges"]["parameters"]["query"]
>;

type UpdateStatuses = operations["updateStatuses"];
export type StatusUpdate = UpdateStatuses["requestBody"]["content"]["application/json"];
export type StatusUpdateAnswer = UpdateStatuses["responses"]["200"]["content"]["application/json"];
