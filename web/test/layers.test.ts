import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const SEALING = "src/sealing";
const sources = readdirSync(SEALING, { recursive: true, encoding: "utf8" }).filter(
  (file) => file.endsWith(".ts") || file.endsWith(".tsx"),
);
const importsOf = (file: string) =>
  [...readFileSync(join(SEALING, file), "utf8").matchAll(/from\s+"([^"]+)"/g)].map(
    ([, name]) => name ?? "",
  );

describe("what seals", () => {
  it("is more than a few files, so that this looks at something", () => {
    expect(sources.length).toBeGreaterThan(80);
    expect(importsOf("frames/sealRoom.ts")).toContain("livekit-client");
  });

  it.each(sources)("%s knows neither React nor the pages", (file) => {
    const pages = /^react|^@react|\/(features|design|app|i18n)\//;
    expect(importsOf(file).filter((name) => pages.test(name))).toEqual([]);
  });
});
