import Skeleton from "@mui/material/Skeleton";
import { Route, Routes } from "react-router";
import { AppShell } from "../components/AppShell";
import { HealthPage } from "./HealthPage";
import { lazy } from "../components/lazy";
import { Part } from "../components/Part";
import { loginPage } from "../login/parts";
import { NotFoundPage } from "./NotFoundPage";
import { WorkflowPage } from "./WorkflowPage";
import { WorkflowsPage } from "./WorkflowsPage";

const taskPage = lazy(() => import("./TaskPage").then((m) => m.TaskPage));
const loading = <Skeleton variant="rounded" height={560} aria-label="Loading the page" />;

export function AppRoutes() {
  return (
    <Routes>
      <Route element={<AppShell />}>
        <Route index element={<WorkflowsPage />} />
        <Route path="health" element={<HealthPage />} />
        <Route path="login" element={<Part code={loginPage} props={{}} placeholder={loading} />} />
        <Route path="workflows/:id/:tab?" element={<WorkflowPage />} />
        <Route
          path="tasks/:id"
          element={<Part code={taskPage} props={{}} placeholder={loading} />}
        />
        <Route path="*" element={<NotFoundPage />} />
      </Route>
    </Routes>
  );
}
