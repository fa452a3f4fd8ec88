/** A browser as a person uses it, with a keyboard, a mouse or fingers, whatever the browser is. */

import { readFileSync } from "node:fs";
import { launch } from "./browser";
import { chromiumPointers, type Pointer } from "./pointers";

/** In pixels of the window. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Driver {
  goto: (url: string) => Promise<void>;
  /** Presses a key and releases it: a character, or a key by its name in the DOM, after "Shift+" where that is held. */
  press: (key: string) => Promise<void>;
  /** Presses a key and keeps it down, or releases it. */
  hold: (key: string, down: boolean) => Promise<void>;
  /** Moves, presses and releases pointers; one that is down stays so until it is released. */
  point: (pointers: readonly Pointer[]) => Promise<void>;
  /** A part of the window as PNG, in Base64; WebKit's driver takes pictures of the whole window alone. */
  screenshot?: (part: Rectangle) => Promise<string>;
  /** The text that an expression is in the page. */
  evaluate: (expression: string) => Promise<string>;
  /** The file that the browser saves when something is done. */
  saved: (act: () => Promise<void>) => Promise<Buffer>;
  close: () => Promise<void>;
}

export const viewport = { width: 1280, height: 900 };

export async function chromiumDriver(): Promise<Driver> {
  const browser = await launch();
  const page = await browser.newPage({ viewport, hasTouch: true });
  return {
    goto: async (url) => {
      await page.goto(url);
    },
    press: (key) => page.keyboard.press(key),
    hold: (key, down) => (down ? page.keyboard.down(key) : page.keyboard.up(key)),
    point: await chromiumPointers(page),
    screenshot: async (clip) => (await page.screenshot({ clip })).toString("base64"),
    evaluate: (expression) => page.evaluate<string>(expression),
    saved: async (act) => {
      const [file] = await Promise.all([page.waitForEvent("download"), act()]);
      return readFileSync(await file.path());
    },
    close: () => browser.close(),
  };
}

/** As WebDriver numbers the keys that write nothing. */
const keyCodes: Record<string, string> = {
  Tab: "\uE004",
  Enter: "\uE007",
  Shift: "\uE008",
  Escape: "\uE00C",
  Home: "\uE011",
  ArrowLeft: "\uE012",
  ArrowRight: "\uE014",
};

/** A key as both protocols of WebDriver are told to press it. */
export function keyActions(key: string) {
  const keys = key.split(/\+(?=.)/).map((part) => keyCodes[part] ?? part);
  const down = keys.map((value) => ({ type: "keyDown", value }));
  const up = keys.map((value) => ({ type: "keyUp", value })).reverse();
  return [{ type: "key", id: "keyboard", actions: [...down, ...up] }];
}

/** Half of keyActions: a key goes down and stays so, or is released. */
export function holdActions(key: string, down: boolean) {
  const value = keyCodes[key] ?? key;
  return [{ type: "key", id: "keyboard", actions: [{ type: down ? "keyDown" : "keyUp", value }] }];
}
