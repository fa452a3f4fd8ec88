import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./App";
import { basePath } from "./basePath";
import { loadChart } from "./concurrency/LoadedChart";
import { newQueryClient } from "./queryClient";
import { workflowTabs } from "./routes/WorkflowTabs";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");

if (location.pathname.startsWith(basePath)) {
  start(root);
} else {
  // The server answers from its root too, where a proxy has taken the base away.
  location.replace(basePath);
}

function start(element: HTMLElement) {
  createRoot(element).render(
    <StrictMode>
      <App queryClient={newQueryClient()} />
    </StrictMode>,
  );
  // They are needed one click from here, and should not be waited for then. A failure is not lost: the
  // page that needs them asks again, and shows it.
  for (const load of [workflowTabs[0].content.load, loadChart]) load().catch(() => undefined);
}
