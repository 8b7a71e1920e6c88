import assert from "node:assert/strict";
import { test } from "node:test";
import { brightGreys } from "../src/viewer/backdrop.ts";
import { arc, below, borders, descent, outline } from "../src/viewer/geometry.ts";

const PICTURE = { left: 0, top: 0, width: 100, height: 100 };

test("regions are lined off from one another, and not along the picture's edge", () => {
  assert.deepEqual(borders([2, 2], [0, 1, 0, 1]), [
    [1, 0, 1, 1],
    [1, 1, 1, 2],
  ]);
  assert.deepEqual(borders([2, 2], [0, 0, 0, 0]), []);
});

test("an outline goes all around a player's patches", () => {
  assert.equal(outline([2, 2], [0]).length, 4);
  assert.equal(outline([2, 2], [0, 1]).length, 6);
  assert.equal(outline([1, 1], [0]).length, 4);
});

test("arcs bend upwards, or the other way where they would leave the picture", () => {
  const [, up] = arc({ x: 20, y: 60 }, { x: 80, y: 60 }, PICTURE);
  assert.ok((up?.y ?? 0) < 60);
  const [, down] = arc({ x: 20, y: 5 }, { x: 80, y: 5 }, PICTURE);
  assert.ok((down?.y ?? 0) > 5);
  const [, right] = arc({ x: 50, y: 20 }, { x: 50, y: 80 }, PICTURE);
  assert.ok((right?.x ?? 0) > 50);
});

test("curves to words arrive upright; between words they dip, or lead to the lower line", () => {
  const [start, leaving, arriving, end] = descent({ x: 10, y: 20 }, { x: 60, y: 120 });
  assert.deepEqual([leaving?.x, arriving?.x], [start?.x, end?.x]);
  const word = (left: number, top: number) => ({ left, top, width: 20, height: 10 });
  const dip = below(word(0, 100), word(60, 100));
  assert.ok((dip[1]?.y ?? 0) > 110);
  const down = below(word(0, 140), word(60, 100));
  assert.deepEqual([down[0]?.y, down.at(-1)?.y], [110, 140]);
});

test("the picture under a map is grey, bright, and as the printed figures have it", () => {
  const pixels = Uint8ClampedArray.of(0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 255);
  const [black, white, red] = brightGreys(pixels);
  assert.equal(black, 0);
  assert.equal(white, 1);
  // Half luma, half the darkest channel, over the 99.5th percentile, to a power that makes the median 0.85.
  const least = 0.5 * 0.299;
  const top = least + (1 - least) * 0.99;
  const power = Math.max(Math.log(0.85) / Math.log(least / top), 0.3);
  assert.ok(Math.abs((red ?? 0) - (least / top) ** power) < 1e-6);
});
