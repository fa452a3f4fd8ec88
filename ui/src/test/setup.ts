import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// On a busy machine a page that is loaded lazily takes its time.
configure({ asyncUtilTimeout: 25_000 });

afterEach(() => {
  cleanup();
  localStorage.clear();
});

const nothing = () => undefined;

// jsdom lays nothing out, so there is no size to observe.
globalThis.ResizeObserver = class {
  observe = nothing;
  unobserve = nothing;
  disconnect = nothing;
};

// Nor anything to scroll.
window.scrollTo = nothing;

// jsdom has no canvas; the pixels are tested on the raster itself.
HTMLCanvasElement.prototype.getContext = () => null;
