/** How often what is on screen is asked for again. React Query pauses it while the tab is hidden. */
export const refreshMs = 30_000;

/**
 * The same for a window of so many milliseconds: often enough that a short one moves before one's
 * eyes, by a sixtieth of its width at a time, and never more often than every 2 seconds.
 */
export function refreshOf(windowMs: number): number {
  return Math.min(refreshMs, Math.max(2_000, windowMs / 60));
}
