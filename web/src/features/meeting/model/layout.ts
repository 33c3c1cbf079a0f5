/**
 * Where tiles stand on the stage: the grid, the speaker view, the view of a shared screen, and
 * how many people make a page. Pure geometry in CSS pixels; knows nothing of people or tracks.
 */

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect extends Size {
  readonly x: number;
  readonly y: number;
}

export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly tile: Size;
}

export interface StripLayout {
  readonly large: Rect;
  readonly strip: readonly Rect[];
  /** Where "n more" stands; null while everybody is in the strip. */
  readonly more: Rect | null;
}

export interface PageRule {
  readonly isPhone: boolean;
  /** The person chose up to 49 tiles on a page instead of 25. */
  readonly wantsMany: boolean;
}

export const GAP = 8;
export const PHONE_GAP = 6;
export const PHONE_PAGE = 6;
export const NORMAL_PAGE = 25;
export const LARGE_PAGE = 49;
/** Above this many people the speaker view is the automatic choice. */
export const AUTOMATIC_SPEAKER_VIEW = 25;
/** From this many people on the speaker view can be chosen. */
export const SPEAKER_VIEW_FROM = 3;

const NARROWEST = 4 / 5;
const WIDEST = 16 / 9;
const NARROWEST_LARGE_PAGE_TILE = 128;
const STRIP_WIDTH = 200;
const SHORT_STRIP_WIDTH = 128;
const SHORT_STAGE = 400;
const MORE_HEIGHT = 44;
const EPSILON = 1e-6;

function clampToTile(cell: Size): Size {
  const ratio = cell.width / cell.height;
  if (ratio > WIDEST) {
    return { width: cell.height * WIDEST, height: cell.height };
  }
  if (ratio < NARROWEST) {
    return { width: cell.width, height: cell.width / NARROWEST };
  }
  return cell;
}

function cellOf(stage: Size, columns: number, rows: number, gap: number): Size {
  return {
    width: Math.max(1, (stage.width - (columns - 1) * gap) / columns),
    height: Math.max(1, (stage.height - (rows - 1) * gap) / rows),
  };
}

/** The column count that gives the largest tile wins; on a tie the one with fewer empty cells. */
export function gridFor(count: number, stage: Size, gap: number = GAP): Grid {
  let best: Grid = { columns: 1, rows: 1, tile: clampToTile(cellOf(stage, 1, 1, gap)) };
  let bestArea = -1;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const tile = clampToTile(cellOf(stage, columns, rows, gap));
    const area = tile.width * tile.height;
    const isTie = Math.abs(area - bestArea) < EPSILON;
    if (isTie ? columns * rows < best.columns * best.rows : area > bestArea) {
      best = { columns, rows, tile };
      bestArea = area;
    }
  }
  return best;
}

/** The rectangles of `count` tiles: the block is centred on the stage, and so is its last row. */
export function placeGrid(count: number, stage: Size, gap: number = GAP): Rect[] {
  if (count === 0) {
    return [];
  }
  const { columns, rows, tile } = gridFor(count, stage, gap);
  const top = (stage.height - rows * tile.height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, index) => {
    const row = Math.floor(index / columns);
    const inRow = Math.min(columns, count - row * columns);
    const left = (stage.width - inRow * tile.width - (inRow - 1) * gap) / 2;
    return {
      x: left + (index % columns) * (tile.width + gap),
      y: top + row * (tile.height + gap),
      ...tile,
    };
  });
}

/** How many people stand on one page of the grid. */
export function pageSize(count: number, stage: Size, rule: PageRule): number {
  if (rule.isPhone) {
    return PHONE_PAGE;
  }
  if (!rule.wantsMany || count <= NORMAL_PAGE) {
    return NORMAL_PAGE;
  }
  for (let size = Math.min(count, LARGE_PAGE); size > NORMAL_PAGE; size -= 1) {
    if (gridFor(size, stage).tile.width >= NARROWEST_LARGE_PAGE_TILE) {
      return size;
    }
  }
  return NORMAL_PAGE;
}

export function pageCount(count: number, size: number): number {
  return Math.max(1, Math.ceil(count / size));
}

/** The people of one page; a page that no longer exists is the last one. */
export function pageOf<T>(items: readonly T[], page: number, size: number): readonly T[] {
  const last = pageCount(items.length, size) - 1;
  const at = Math.min(Math.max(page, 0), last);
  return items.slice(at * size, (at + 1) * size);
}

/**
 * One large picture with a strip of others: at the right of a wide stage, below on a tall one.
 * The strip holds as many 16:9 tiles as fit; the rest are behind "more".
 */
export function placeWithStrip(others: number, stage: Size, gap: number = GAP): StripLayout {
  if (others === 0) {
    return { large: { x: 0, y: 0, ...stage }, strip: [], more: null };
  }
  return stage.width >= stage.height
    ? placeStripRight(others, stage, gap)
    : placeStripBelow(others, stage, gap);
}

function placeStripRight(others: number, stage: Size, gap: number): StripLayout {
  const width = Math.min(
    stage.height < SHORT_STAGE ? SHORT_STRIP_WIDTH : STRIP_WIDTH,
    stage.width / 3,
  );
  const lowest = width / WIDEST;
  const fitting = (room: number) => Math.max(1, Math.floor((room + gap) / (lowest + gap)));
  const fitsAll = fitting(stage.height) >= others;
  const room = fitsAll ? stage.height : stage.height - MORE_HEIGHT - gap;
  const shown = Math.min(others, fitting(room));
  const height = Math.min(width / NARROWEST, Math.max(1, (room - (shown - 1) * gap) / shown));
  const x = stage.width - width;
  return {
    large: { x: 0, y: 0, width: stage.width - width - gap, height: stage.height },
    strip: Array.from({ length: shown }, (_, index) => ({
      x,
      y: index * (height + gap),
      width,
      height,
    })),
    more: shown < others ? { x, y: stage.height - MORE_HEIGHT, width, height: MORE_HEIGHT } : null,
  };
}

function placeStripBelow(others: number, stage: Size, gap: number): StripLayout {
  const width = (stage.width - gap) / 2;
  const lowest = width / WIDEST;
  const largeHeight = Math.min(stage.width / 1.6, stage.height - lowest - gap);
  const top = largeHeight + gap;
  const below = stage.height - top;
  const fitting = (room: number) => 2 * Math.max(1, Math.floor((room + gap) / (lowest + gap)));
  const fitsAll = fitting(below) >= others;
  const room = fitsAll ? below : below - MORE_HEIGHT - gap;
  const shown = Math.min(others, fitting(room));
  const rows = Math.ceil(shown / 2);
  const height = Math.max(1, Math.min(width / NARROWEST, (room - (rows - 1) * gap) / rows));
  return {
    large: { x: 0, y: 0, width: stage.width, height: Math.max(1, largeHeight) },
    strip: Array.from({ length: shown }, (_, index) => ({
      x: (index % 2) * (width + gap),
      y: top + Math.floor(index / 2) * (height + gap),
      width,
      height,
    })),
    more:
      shown < others
        ? { x: 0, y: stage.height - MORE_HEIGHT, width: stage.width, height: MORE_HEIGHT }
        : null,
  };
}
