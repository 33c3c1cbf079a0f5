/** What react-aria says aloud goes through no HTML, and another version of it does not pass unseen. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { trusted, trustedAria } from "../build/trustedAria.ts";

const PATH = join(
  import.meta.dirname,
  "../node_modules/react-aria/dist/private/live-announcer/LiveAnnouncer.mjs",
);
const CODE = readFileSync(PATH, "utf8");

type Transform = (code: string, id: string) => { code: string } | null;

it("the installed announcer is corrected on its way into the bundle", () => {
  expect(CODE).toContain("innerHTML");
  const transform = trustedAria().transform as unknown as Transform;
  const made = transform(CODE, `${PATH}?v=1`);
  expect(made?.code).not.toContain("innerHTML");
  expect(made?.code.match(/Log\.replaceChildren\(\);/g)).toHaveLength(2);
  expect(transform(CODE, "/src/other.mjs")).toBeNull();
});

it("an announcer that is another one stops the build", () => {
  expect(() => trusted(CODE.replace("politeLog.innerHTML", "politeLog.textContent"))).toThrow(
    "found 1 times",
  );
});
