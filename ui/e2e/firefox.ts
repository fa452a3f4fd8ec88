/** Debian's Firefox, through WebDriver BiDi: what playwright-core says to it, it does not understand. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket, type RawData } from "ws";
import { holdActions, keyActions, viewport, type Driver } from "./driver";
import { start } from "./program";

export async function firefoxDriver(): Promise<Driver> {
  const folder = mkdtempSync(join(tmpdir(), "tasktide-firefox-"));
  // Its list of downloads would open over the page, and take the focus.
  writeFileSync(join(folder, "user.js"), 'user_pref("browser.download.alwaysOpenPanel", false);');
  const firefox = await start(
    "firefox-esr",
    ["--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"],
    /ws:\/\/127\.0\.0\.1:\d+/,
  );
  const bidi = await connect(`${firefox.said}/session`);
  await bidi.send("session.new", { capabilities: {} });
  await bidi.send("session.subscribe", { events: ["browsingContext.downloadEnd"] });
  await bidi.send("browser.setDownloadBehavior", {
    downloadBehavior: { type: "allowed", destinationFolder: folder },
  });
  // The tab that Firefox begins with never has the focus.
  const { context } = (await bidi.send("browsingContext.create", { type: "tab" })) as {
    context: string;
  };
  await bidi.send("browsingContext.setViewport", { context, viewport });
  return {
    goto: async (url) => {
      await bidi.send("browsingContext.navigate", { context, url, wait: "complete" });
    },
    press: async (key) => {
      await bidi.send("input.performActions", { context, actions: keyActions(key) });
    },
    hold: async (key, down) => {
      await bidi.send("input.performActions", { context, actions: holdActions(key, down) });
    },
    point: async (pointers) => {
      await bidi.send("input.performActions", { context, actions: pointers });
    },
    screenshot: async (part) => {
      const answer = await bidi.send("browsingContext.captureScreenshot", {
        context,
        clip: { type: "box", ...part },
      });
      return (answer as { data: string }).data;
    },
    evaluate: async (expression) => {
      const answer = (await bidi.send("script.evaluate", {
        expression,
        target: { context },
        awaitPromise: false,
      })) as { type: "success"; result: { value: string } } | { type: "exception" };
      if (answer.type === "exception") throw new Error(JSON.stringify(answer));
      return answer.result.value;
    },
    saved: async (act) => {
      const [end] = await Promise.all([bidi.next("browsingContext.downloadEnd"), act()]);
      return readFileSync((end as { filepath: string }).filepath);
    },
    close: async () => {
      await firefox.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

type Message =
  | { type: "success"; id: number; result: unknown }
  | { type: "error"; id: number; error: string; message: string }
  | { type: "event"; method: string; params: unknown };

async function connect(url: string) {
  const socket = new WebSocket(url);
  await new Promise((opened, failed) => {
    socket.once("open", opened);
    socket.once("error", failed);
  });
  /** By the number of a command, or the name of an event. */
  const waiting = new Map<number | string, (message: Message) => void>();
  socket.on("message", (data: RawData) => {
    const message = JSON.parse((data as Buffer).toString()) as Message;
    const key = message.type === "event" ? message.method : message.id;
    waiting.get(key)?.(message);
    waiting.delete(key);
  });
  const next = (key: number | string) =>
    new Promise<unknown>((got, failed) =>
      waiting.set(key, (message) => {
        if (message.type === "success") got(message.result);
        else if (message.type === "event") got(message.params);
        else failed(new Error(`${message.error}: ${message.message}`));
      }),
    );
  let commands = 0;
  return {
    /** What an event tells when it comes. */
    next,
    send: (method: string, params: unknown) => {
      const id = ++commands;
      const answer = next(id);
      socket.send(JSON.stringify({ id, method, params }));
      return answer;
    },
  };
}
