/** What keys do on the chart. */

interface Key {
  key: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** Makes the range so many times as long, moves it by a share of itself, or is about the cursor. */
export type KeyAction = { zoom: number } | { pan: number } | { key: string };

const zooms: Record<string, number> = { "+": 0.5, "=": 0.5, "-": 2, "0": 0 };
const pans: Record<string, number> = { ArrowLeft: -0.25, ArrowRight: 0.25 };

/** Null for a key that is the browser's. */
export function actionOf({ key, shiftKey, ctrlKey, metaKey, altKey }: Key): KeyAction | null {
  if (ctrlKey || metaKey || altKey) return null;
  if (key in zooms) return { zoom: zooms[key] };
  if (!shiftKey) return { key };
  return key in pans ? { pan: pans[key] } : null;
}
