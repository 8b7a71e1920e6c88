/** Explanations less the first, each in shares of its own greatest absolute value; as fixlip_core/comparison does it. */

import type { ComparedExplanation, FrameView } from "../api/comparisons.ts";

/** Greatest that a difference of shares can be. */
export const DIFFERENCE_LIMIT = 2;

/** `values / greatest`; zeros stay zeros. */
export function shares(values: readonly number[], greatest: number): readonly number[] {
  return greatest > 0 ? values.map((value) => value / greatest) : values.map(() => 0);
}

/** The shares of `one` less those of `other`, from -2 to 2. */
export function difference(
  one: ComparedExplanation,
  other: ComparedExplanation,
  part: "image" | "text",
): readonly number[] {
  const subtracted = shares(other[part], other.greatest[part]);
  return shares(one[part], one.greatest[part]).map((value, index) => value - (subtracted[index] ?? 0));
}

/** The part of a view, whose edges in the picture are `seen`, that `frame` takes: as shares of the view's size. */
export function cutOf(frame: FrameView | null, seen: FrameView | null): FrameView {
  if (!frame || !seen) return { left: 0, top: 0, right: 1, bottom: 1 };
  const width = seen.right - seen.left;
  const height = seen.bottom - seen.top;
  return {
    left: (frame.left - seen.left) / width,
    top: (frame.top - seen.top) / height,
    right: (frame.right - seen.left) / width,
    bottom: (frame.bottom - seen.top) / height,
  };
}

/** The part of the picture that a model saw, from an explanation's provenance; null where it is not known. */
export function seenFrame(provenance: Readonly<Record<string, unknown>>): FrameView | null {
  const [left, top, right, bottom] = ["left", "top", "right", "bottom"].map((edge) => provenance[`view_${edge}`]);
  if (typeof left !== "number" || typeof top !== "number") return null;
  if (typeof right !== "number" || typeof bottom !== "number") return null;
  return right > left && bottom > top ? { left, top, right, bottom } : null;
}
