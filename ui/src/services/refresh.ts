/** How often what is on screen is asked for again. React Query pauses it while the tab is hidden. */
export const refreshMs = 30_000;
