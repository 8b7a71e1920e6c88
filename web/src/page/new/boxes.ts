/** Boxes on the picture, which are its players: kept as the text of the parameter `boxes`. */

import type { Catalogue } from "../api/index.ts";
import { change, controls, type Draft, draft, methodOf } from "./draft.ts";

/** Left, top, right, bottom, in pixels of the picture. */
export type Box = readonly [number, number, number, number];

const NAME = "boxes";
export const MOST_BOXES = 64;

/** Whether the method takes boxes. */
export function takesBoxes(asked: Draft, catalogue: Catalogue): boolean {
  const method = methodOf(asked, catalogue);
  return method !== undefined && controls(method).some(({ name }) => name === NAME);
}

/** The boxes that the draft asks for; none where they are written in a way that is no list of boxes. */
export function boxesOf({ texts, method }: Draft): readonly Box[] {
  try {
    const boxes: unknown = JSON.parse(texts[method]?.[NAME] || "[]");
    return Array.isArray(boxes) && boxes.every(isBox) ? boxes : [];
  } catch {
    return [];
  }
}

function isBox(value: unknown): value is Box {
  return Array.isArray(value) && value.length === 4 && value.every(Number.isFinite);
}

/** Ask for these boxes; for none, if there are none. */
export function setBoxes(boxes: readonly Box[]): void {
  const { texts, method } = draft.value;
  const text = boxes.length ? JSON.stringify(boxes) : "";
  change({ texts: { ...texts, [method]: { ...texts[method], [NAME]: text } } });
}

/** The box between two corners, in whole pixels within the picture; null where it has no area to speak of. */
export function boxBetween(
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  [width, height]: readonly [number, number],
): Box | null {
  const within = (value: number, most: number): number => Math.round(Math.min(most, Math.max(0, value)));
  const box = [
    within(Math.min(x0, x1), width),
    within(Math.min(y0, y1), height),
    within(Math.max(x0, x1), width),
    within(Math.max(y0, y1), height),
  ] as const;
  const isSeen = box[2] - box[0] >= width / 50 && box[3] - box[1] >= height / 50;
  return isSeen ? box : null;
}
