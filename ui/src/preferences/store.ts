import { create } from "zustand";
import { persist } from "zustand/middleware";

export const schemes = ["system", "light", "dark"] as const;
export type Scheme = (typeof schemes)[number];

interface Preferences {
  scheme: Scheme;
  setScheme: (scheme: Scheme) => void;
}

/** What a person prefers, on this machine. What they look at is in the URL, not here. */
export const usePreferences = create<Preferences>()(
  persist((set) => ({ scheme: "system", setScheme: (scheme) => set({ scheme }) }), {
    name: "tasktide.preferences",
  }),
);
