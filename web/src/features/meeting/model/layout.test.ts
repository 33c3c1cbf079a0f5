import { describe, expect, it } from "vitest";
import {
  GAP,
  gridFor,
  PHONE_GAP,
  pageCount,
  pageOf,
  pageSize,
  placeGrid,
  placeWithStrip,
  type Size,
} from "./layout.ts";

const WIDE: Size = { width: 1416, height: 756 };
const WITH_PANEL: Size = { width: 1040, height: 756 };
const PHONE: Size = { width: 374, height: 690 };

const columns = (count: number, stage: Size, gap = GAP) => {
  const grid = gridFor(count, stage, gap);
  return `${grid.columns}x${grid.rows}`;
};

describe("the grid", () => {
  it.each([
    [1, "1x1"],
    [2, "2x1"],
    [3, "3x1"],
    [4, "2x2"],
    [5, "3x2"],
    [6, "3x2"],
    [7, "4x2"],
    [9, "3x3"],
    [12, "4x3"],
    [16, "4x4"],
    [20, "5x4"],
    [25, "5x5"],
    [36, "9x4"],
    [49, "10x5"],
  ])("lays %i people out as %s on a wide stage", (count, expected) => {
    expect(columns(count, WIDE)).toBe(expected);
  });

  it.each([
    [1, "1x1"],
    [2, "2x1"],
    [3, "2x2"],
    [4, "2x2"],
    [5, "3x2"],
    [6, "3x2"],
    [7, "3x3"],
    [9, "3x3"],
    [12, "4x3"],
    [16, "4x4"],
    [20, "5x4"],
    [25, "5x5"],
    [36, "6x6"],
    [49, "7x7"],
  ])("lays %i people out as %s beside a panel", (count, expected) => {
    expect(columns(count, WITH_PANEL)).toBe(expected);
  });

  it.each([
    [1, "1x1"],
    [2, "1x2"],
    [3, "1x3"],
    [4, "1x4"],
    [5, "2x3"],
    [6, "2x3"],
  ])("lays %i people out as %s on a phone", (count, expected) => {
    expect(columns(count, PHONE, PHONE_GAP)).toBe(expected);
  });

  it("gives the sizes of the drawing", () => {
    const size = (count: number, stage: Size) => {
      const { width, height } = gridFor(count, stage).tile;
      return [Math.round(width), Math.round(height)];
    };
    expect(size(1, WIDE)).toEqual([1344, 756]);
    expect(size(4, WIDE)).toEqual([665, 374]);
    expect(size(49, WIDE)).toEqual([134, 145]);
    expect(size(2, WITH_PANEL)).toEqual([516, 645]);
  });

  it("keeps every tile between 4:5 and 16:9 and inside the stage", () => {
    for (const stage of [WIDE, WITH_PANEL, PHONE, { width: 300, height: 90 }]) {
      for (let count = 1; count <= 49; count += 1) {
        for (const rect of placeGrid(count, stage)) {
          const ratio = rect.width / rect.height;
          expect(ratio).toBeGreaterThan(0.8 - 1e-6);
          expect(ratio).toBeLessThan(16 / 9 + 1e-6);
          expect(rect.x).toBeGreaterThan(-1);
          expect(rect.x + rect.width).toBeLessThan(stage.width + 1);
        }
      }
    }
  });

  it("centres the last row", () => {
    const [first, , third] = placeGrid(3, WITH_PANEL);
    expect(third?.x).toBeCloseTo((WITH_PANEL.width - (third?.width ?? 0)) / 2);
    expect(third?.y).toBeGreaterThan(first?.y ?? 0);
  });

  it("draws nothing for nobody", () => {
    expect(placeGrid(0, WIDE)).toEqual([]);
  });
});

describe("pages", () => {
  it("hold 25 people, and six on a phone", () => {
    expect(pageSize(40, WIDE, { isPhone: false, wantsMany: false })).toBe(25);
    expect(pageSize(40, WIDE, { isPhone: true, wantsMany: true })).toBe(6);
    expect(pageSize(20, WIDE, { isPhone: false, wantsMany: true })).toBe(25);
  });

  it("hold up to 49 by choice while a tile is at least 128 px wide", () => {
    const many = { isPhone: false, wantsMany: true };
    expect(pageSize(60, WIDE, many)).toBe(49);
    expect(pageSize(36, WIDE, many)).toBe(36);
    const small = pageSize(49, { width: 800, height: 400 }, many);
    expect(small).toBeLessThan(49);
    expect(pageSize(49, { width: 300, height: 300 }, many)).toBe(25);
  });

  it("are counted and cut", () => {
    const people = Array.from({ length: 13 }, (_, index) => index);
    expect(pageCount(0, 6)).toBe(1);
    expect(pageCount(13, 6)).toBe(3);
    expect(pageOf(people, 1, 6)).toEqual([6, 7, 8, 9, 10, 11]);
    expect(pageOf(people, 9, 6)).toEqual([12]);
    expect(pageOf(people, -1, 6)).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("one large picture with a strip", () => {
  it("takes the whole stage while nobody else is there", () => {
    expect(placeWithStrip(0, WIDE)).toEqual({
      large: { x: 0, y: 0, ...WIDE },
      strip: [],
      more: null,
    });
  });

  it("puts the strip at the right of a wide stage", () => {
    const { large, strip, more } = placeWithStrip(3, WIDE);
    expect(large.width).toBe(WIDE.width - 200 - GAP);
    expect(strip).toHaveLength(3);
    expect(strip[0]?.x).toBe(WIDE.width - 200);
    expect(strip[0]?.height).toBeLessThanOrEqual(250);
    expect(more).toBeNull();
  });

  it("leaves room for the rest", () => {
    const { strip, more } = placeWithStrip(30, WIDE);
    const last = strip[strip.length - 1];
    expect(strip.length).toBeGreaterThan(3);
    expect(more?.y).toBe(WIDE.height - 44);
    expect((last?.y ?? 0) + (last?.height ?? 0)).toBeLessThanOrEqual(more?.y ?? 0);
  });

  it("makes the strip narrow on a low stage", () => {
    const { strip } = placeWithStrip(1, { width: 800, height: 300 });
    expect(strip[0]?.width).toBe(128);
  });

  it("puts two columns under the large picture on a tall stage", () => {
    const { large, strip, more } = placeWithStrip(3, PHONE, PHONE_GAP);
    expect(large.width).toBe(PHONE.width);
    expect(strip.map(({ x }) => Math.round(x))).toEqual([0, 190, 0]);
    expect(strip[2]?.y).toBeGreaterThan(strip[0]?.y ?? 0);
    expect(more).toBeNull();
    const crowded = placeWithStrip(20, PHONE, PHONE_GAP);
    expect(crowded.more?.y).toBe(PHONE.height - 44);
    expect(crowded.strip.length).toBeLessThan(20);
  });
});
