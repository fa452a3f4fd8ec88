/** A browser as somebody uses it who has a keyboard alone, whatever the browser is. */

import { readFileSync } from "node:fs";
import { launch } from "./browser";

export interface Driver {
  goto: (url: string) => Promise<void>;
  /** Presses a key and releases it: a character, or a key by its name in the DOM, after "Shift+" where that is held. */
  press: (key: string) => Promise<void>;
  /** The text that an expression is in the page. */
  evaluate: (expression: string) => Promise<string>;
  /** The file that the browser saves when something is done. */
  saved: (act: () => Promise<void>) => Promise<Buffer>;
  close: () => Promise<void>;
}

export const viewport = { width: 1280, height: 900 };

export async function chromiumDriver(): Promise<Driver> {
  const browser = await launch();
  const page = await browser.newPage({ viewport });
  return {
    goto: async (url) => {
      await page.goto(url);
    },
    press: (key) => page.keyboard.press(key),
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
