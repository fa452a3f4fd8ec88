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
export type TaskAtList = Schemas["TaskAtList"];
export type ServerHealth = Schemas["ServerHealth"];
export type Telemetry = Schemas["Telemetry"];
export type TelemetryBatch = Schemas["TelemetryBatch"];
export type Server = Schemas["Server"];
export type ErrorAnswer = Schemas["ErrorAnswer"];
export type ErrorCode = ErrorAnswer["error"]["code"];

export type ConcurrencyQuery = NonNullable<operations["getTaskConcurrency"]["parameters"]["query"]>;
export type WorkflowQuery = NonNullable<operations["listWorkflows"]["parameters"]["query"]>;
