import { create } from "zustand";

interface Opened {
  /** Id of the help that is shown; null while none is. */
  id: string | null;
  /** It was pressed, and stays when the pointer leaves. */
  pinned: boolean;
}

/** At most one help is shown at a time. */
export const useOpened = create<Opened>()(() => ({ id: null, pinned: false }));

export function show(id: string) {
  useOpened.setState((old) => (old.id === id ? old : { id, pinned: false }));
}

export function pin(id: string) {
  useOpened.setState({ id, pinned: true });
}

/** Hides a help, if it is the one that is shown. */
export function hide(id: string) {
  useOpened.setState((old) => (old.id === id ? { id: null, pinned: false } : old));
}
