import { useEffect, useState } from "react";

/** A part of the page whose code comes in a file of its own. */
export interface Lazy<T> {
  /** Loads it once; a failure is not kept, so that the next call tries again. */
  load: () => Promise<T>;
  /** What was loaded, if it is there. */
  loaded: () => T | null;
}

export function lazy<T>(load: () => Promise<T>): Lazy<T> {
  let loaded: T | null = null;
  return {
    load: async () => {
      loaded ??= await load();
      return loaded;
    },
    loaded: () => loaded,
  };
}

/**
 * The part, or null while it is being loaded; a failure goes to the error boundary. React's own lazy
 * would hold back a part that is there already by a third of a second, so that placeholders do not
 * flicker.
 */
export function useLazy<T>(part: Lazy<T>): T | null {
  const [value, setValue] = useState<T | null>(part.loaded);
  useEffect(() => {
    if (value !== null) return;
    part.load().then(
      (loaded) => setValue(() => loaded),
      (error: unknown) =>
        setValue(() => {
          throw error;
        }),
    );
  }, [part, value]);
  return value;
}
