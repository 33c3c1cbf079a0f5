/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { hashes } from "./build/hashes.ts";
import { patchedMls } from "./build/mlsPatch.ts";
import { precompress } from "./build/precompress.ts";
import { trustedAria } from "./build/trustedAria.ts";

const SERVER = process.env["CONCLAVE_DEV_SERVER"] ?? "http://localhost:8080";

/** No pages, but they touch `document`. */
const RULES_WITH_A_DOM = ["src/i18n/i18n.test.ts", "src/features/meeting/model/session.test.ts"];

export default defineConfig({
  plugins: [patchedMls(), trustedAria(), react(), hashes(), precompress()],
  build: {
    outDir: "../src/conclave/static",
    emptyOutDir: true,
    target: "es2022",
    // Everything is a file of our own origin: data: addresses would need a wider security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
    // For our own scripts; the server delivers no file with a dot in front.
    manifest: ".build-manifest.json",
  },
  // Workers are modules: the security policy lets them import from our own origin, and nothing else.
  worker: { format: "es", plugins: () => [patchedMls()] },
  server: {
    proxy: {
      "/api": { target: SERVER, ws: true },
      "/rtc": { target: SERVER, ws: true },
    },
  },
  test: {
    restoreMocks: true,
    unstubGlobals: true,
    maxWorkers: 2,
    testTimeout: 60_000,
    // Asked for by `npm test`. The rules of a sealed meeting: what no test has been through is a guess.
    coverage: {
      provider: "v8",
      include: ["src/sealing/meeting/*.ts"],
      exclude: ["**/*.test.ts"],
      reporter: ["text-summary"],
      reportsDirectory: "node_modules/.coverage",
      thresholds: { branches: 100 },
    },
    projects: [
      // Rules need no page: without one they start in no time.
      {
        extends: true,
        test: {
          name: "rules",
          environment: "node",
          include: ["{src,test}/**/*.test.ts"],
          exclude: RULES_WITH_A_DOM,
        },
      },
      {
        extends: true,
        test: {
          name: "pages",
          environment: "happy-dom",
          include: ["{src,test}/**/*.test.tsx", ...RULES_WITH_A_DOM],
          setupFiles: ["test/setup.ts"],
        },
      },
    ],
  },
});
