/** Where curves and outlines run, in CSS pixels; the shapes are those of the printed figures. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A straight line on the grid, its ends in units of patches. */
export type Edge = readonly [x0: number, y0: number, x1: number, y1: number];

/** A curve by its control points: three of a quadratic, four of a cubic. */
export type Curve = readonly Point[];

/** Height of an arc between two patches, as a share of their distance. */
const BEND = 0.22;
const DIP_PX = { least: 10, most: 30 };

export const centreOf = (box: Box): Point => ({ x: box.left + box.width / 2, y: box.top + box.height / 2 });

/** Bent upwards, or to the right; the other way where it would leave the picture. */
export function arc(start: Point, end: Point, picture: Box): Curve {
  const middle = { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 };
  let across = BEND * (end.y - start.y);
  let along = BEND * (start.x - end.x);
  if (along > 0 || (along === 0 && across < 0)) [across, along] = [-across, -along];
  const leaves =
    middle.y + along < picture.top ||
    middle.x + across < picture.left ||
    middle.x + across > picture.left + picture.width;
  if (leaves) [across, along] = [-across, -along];
  // The top of a quadratic lies halfway to its control.
  return [start, { x: middle.x + 2 * across, y: middle.y + 2 * along }, end];
}

/** Leaves and arrives upright, so that curves to one word gather above it. */
export function descent(start: Point, end: Point): Curve {
  const reach = 0.5 * (end.y - start.y);
  return [start, { x: start.x, y: start.y + reach }, { x: end.x, y: end.y - reach }, end];
}

/** Between words of one line a dip below them, deeper the farther; else from the upper word down to the lower. */
export function below(first: Box, second: Box): Curve {
  const [upper, lower] = first.top <= second.top ? [first, second] : [second, first];
  if (lower.top > upper.top + upper.height / 2) {
    return descent({ x: centreOf(upper).x, y: upper.top + upper.height }, { x: centreOf(lower).x, y: lower.top });
  }
  const [start, end] = [first, second].map((box) => ({ x: centreOf(box).x, y: box.top + box.height })) as [
    Point,
    Point,
  ];
  const dip = DIP_PX.least + (DIP_PX.most - DIP_PX.least) * Math.tanh(Math.abs(end.x - start.x) / 300);
  // A cubic's lowest point lies at three quarters of its controls' depth.
  const depth = start.y + dip / 0.75;
  const inward = 0.15 * (end.x - start.x);
  return [start, { x: start.x + inward, y: depth }, { x: end.x - inward, y: depth }, end];
}

/** The lines between neighbouring patches of different owners; `at` gives the owner of a place, also outside the grid. */
export function edges(rows: number, columns: number, at: (row: number, column: number) => number): Edge[] {
  const found: Edge[] = [];
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const here = at(row, column);
      if (row < rows && here !== at(row, column - 1)) found.push([column, row, column, row + 1]);
      if (column < columns && here !== at(row - 1, column)) found.push([column, row, column + 1, row]);
    }
  }
  return found;
}

/** The lines around every region; none along the picture's own edge. */
export function borders(grid: readonly [number, number], owners: ArrayLike<number>): Edge[] {
  const [rows, columns] = grid;
  const inside = (row: number, column: number) => {
    const [r, c] = [Math.min(Math.max(row, 0), rows - 1), Math.min(Math.max(column, 0), columns - 1)];
    return owners[r * columns + c] ?? -1;
  };
  return edges(rows, columns, inside);
}

/** The lines around the patches of one player, along the picture's edge as well. */
export function outline(grid: readonly [number, number], patches: readonly number[]): Edge[] {
  const [rows, columns] = grid;
  const own = new Set(patches);
  const at = (row: number, column: number) =>
    row >= 0 && column >= 0 && row < rows && column < columns && own.has(row * columns + column) ? 1 : 0;
  return edges(rows, columns, at);
}
