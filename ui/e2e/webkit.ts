/** Debian's WebKit, through WebDriver: in the browser that belongs to its driver, on a screen that nobody sees. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";
import { holdActions, keyActions, viewport, type Driver } from "./driver";
import { freePort, start } from "./program";

const patience = { timeout: 20_000 };

export async function webkitDriver(): Promise<Driver> {
  // Where the browser saves files.
  const home = mkdtempSync(join(tmpdir(), "tasktide-webkit-"));
  const screen = await start(
    "Xvfb",
    ["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", "1280x1024x24"],
    /^\d+$/m,
  );
  const port = await freePort();
  const driver = await start("WebKitWebDriver", [`--port=${port}`], null, {
    DISPLAY: `:${screen.said}`,
    HOME: home,
  });
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(() => fetch(`${url}/status`), patience);
  const { sessionId } = await call<{ sessionId: string }>("POST", `${url}/session`, {
    capabilities: {},
  });
  const session = `${url}/session/${sessionId}`;
  const post = <Value>(path: string, body: unknown) =>
    call<Value>("POST", `${session}/${path}`, body);
  await post("window/rect", viewport);

  const files = () => readdirSync(home).filter((name) => !/^\.|\.wkdownload$/.test(name));
  return {
    goto: (address) => post("url", { url: address }),
    press: (key) => post("actions", { actions: keyActions(key) }),
    hold: (key, down) => post("actions", { actions: holdActions(key, down) }),
    point: (pointers) => post("actions", { actions: pointers }),
    evaluate: (expression) => post("execute/sync", { script: `return ${expression}`, args: [] }),
    saved: async (act) => {
      await act();
      const name = await vi.waitUntil(() => files().at(0), patience);
      const path = join(home, name);
      const content = readFileSync(path);
      rmSync(path);
      return content;
    },
    close: async () => {
      await call("DELETE", session);
      await driver.stop();
      await screen.stop();
      rmSync(home, { recursive: true });
    },
  };
}

async function call<Value>(method: string, url: string, body?: unknown): Promise<Value> {
  const response = await fetch(url, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const { value } = (await response.json()) as { value: Value };
  if (!response.ok) throw new Error(`${method} ${url}: ${JSON.stringify(value)}`);
  return value;
}
