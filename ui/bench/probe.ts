/** What watches a page from within: it is there before the page's own code. */

import type { Page } from "playwright-core";

interface Probe {
  /** When the frame was over that first showed what was to be watched for, since the navigation began. */
  first: Promise<number>;
  /** When the frame is over that first shows an element, or another shape of a path that is there. */
  next: (selector: string) => Promise<number>;
  /** The times between frames since it was last asked, up to the frame that comes next. */
  frames: () => Promise<number[]>;
  /** When the page was seen to have another address, since the navigation began. */
  left: number | null;
}

declare global {
  interface Window {
    probe: Probe;
  }
}

/** All times are in milliseconds. */
export async function watch(page: Page, selector: string) {
  await page.addInitScript(install, selector);
}

/** Runs in the page, and so refers to nothing outside of itself. */
function install(selector: string) {
  function next(watched: string): Promise<number> {
    const shape = () => {
      const element = document.querySelector(watched);
      return element === null ? null : (element.getAttribute("d") ?? "");
    };
    const before = shape();
    return new Promise((found) => {
      function look() {
        const now = shape();
        if (now === null || now === before) {
          requestAnimationFrame(look);
          return;
        }
        // What is told by a message is told when the frame has been laid out and handed over.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => {
          port1.close();
          found(performance.now());
        };
        port2.postMessage(null);
      }
      requestAnimationFrame(look);
    });
  }

  const address = location.href;
  const noted: number[] = [];
  let last = performance.now();
  function note() {
    const now = performance.now();
    noted.push(now - last);
    last = now;
    if (location.href !== address) window.probe.left ??= now;
    requestAnimationFrame(note);
  }
  requestAnimationFrame(note);

  window.probe = {
    first: next(selector),
    next,
    frames: () => new Promise((found) => requestAnimationFrame(() => found(noted.splice(0)))),
    left: null,
  };
}

/** When the first answer with numbers had come, since the navigation began. */
export function answeredAt(page: Page): Promise<number> {
  return page.evaluate(() => {
    const answer = performance
      .getEntriesByType("resource")
      .find(({ name }) => name.includes("task_concurrency"));
    if (!(answer instanceof PerformanceResourceTiming)) throw new Error("nothing was asked");
    return answer.responseEnd;
  });
}
