import { Route, Routes } from "react-router";
import { AppShell } from "../components/AppShell";
import { HealthPage } from "./HealthPage";
import { NotFoundPage } from "./NotFoundPage";
import { WorkflowPage } from "./WorkflowPage";
import { WorkflowsPage } from "./WorkflowsPage";

export function AppRoutes() {
  return (
    <Routes>
      <Route element={<AppShell />}>
        <Route index element={<WorkflowsPage />} />
        <Route path="health" element={<HealthPage />} />
        <Route path="workflows/:id/:tab?" element={<WorkflowPage />} />
        <Route path="*" element={<NotFoundPage />} />
      </Route>
    </Routes>
  );
}
