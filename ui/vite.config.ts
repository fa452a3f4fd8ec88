import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

// The oldest browsers that the page promises to work in.
const browsers = ["chrome109", "edge109", "firefox102", "safari15"];

/** A description of a Plotly attribute: a string or a joined array of strings, as the whole value of the property. */
const description =
  /\bdescription:\s*(?:\[(?:[\s,]|'(?:[^'\\\n]|\\.)*')*\]\.join\('[^']*'\)|'(?:[^'\\\n]|\\.)*')(?=\s*[,}])\s*,?/g;

/**
 * Plotly's source describes each attribute for its reference documentation, a tenth of what a chart loads. Plotly's own
 * builds strip these texts in the same way.
 */
const stripDescriptions: Plugin = {
  name: "strip-plotly-descriptions",
  enforce: "pre",
  transform: (code, id) =>
    /\/plotly\.js\/src\/.*\.js$/.test(id)
      ? { code: code.replace(description, ""), map: null }
      : null,
};

export default defineConfig({
  // Where the page is, its server tells when it serves it: see embed.go.
  base: "./",
  // A part of the page is worked out again only where what it shows has changed.
  plugins: [stripDescriptions, react({ babel: { plugins: ["babel-plugin-react-compiler"] } })],
  // Plotly's dependencies are written for Node, where "global" exists.
  define: { global: "globalThis" },
  build: {
    target: browsers,
    cssTarget: browsers,
    chunkSizeWarningLimit: 1500,
    rollupOptions: {
      onwarn(warning, warn) {
        // MUI marks its modules for server components, which there are none of here.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
    },
  },
  server: { proxy: { "/api": "http://127.0.0.1:8070", "/docs": "http://127.0.0.1:8070" } },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/test/setup.ts"],
    restoreMocks: true,
    testTimeout: 60_000,
  },
});
