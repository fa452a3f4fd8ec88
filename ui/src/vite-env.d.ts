/// <reference types="vite/client" />

declare module "plotly.js/lib/core" {
  import type * as Plotly from "plotly.js";
  const core: typeof Plotly;
  export default core;
}
