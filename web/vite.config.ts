/// <reference types="vitest/config" />
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { precompress } from "./build/precompress.ts";

const SERVER = process.env["CONCLAVE_DEV_SERVER"] ?? "http://localhost:8080";

export default defineConfig({
  plugins: [react(), precompress()],
  build: {
    outDir: "../src/conclave/static",
    emptyOutDir: true,
    target: "es2022",
    // Everything is a file of our own origin: data: addresses would need a wider security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
    reportCompressedSize: false,
    manifest: "build-manifest.json",
  },
  server: {
    proxy: {
      "/api": { target: SERVER, ws: true },
      "/rtc": { target: SERVER, ws: true },
    },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}", "test/**/*.test.{ts,tsx}"],
    setupFiles: ["test/setup.ts"],
    restoreMocks: true,
    unstubGlobals: true,
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
