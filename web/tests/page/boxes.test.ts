import assert from "node:assert/strict";
import { test } from "node:test";

import { boxBetween, boxesOf, setBoxes } from "../../src/page/new/boxes.ts";
import { draft } from "../../src/page/new/draft.ts";

test("a box lies between its corners, whichever was first, and within the picture", () => {
  assert.deepEqual(boxBetween([90.4, 20], [10, 79.6], [100, 80]), [10, 20, 90, 80]);
  assert.deepEqual(boxBetween([-5, -5], [300, 300], [100, 80]), [0, 0, 100, 80]);
  assert.equal(boxBetween([10, 10], [11, 60], [100, 80]), null);
});

test("boxes are the parameter's text, and what is no list of boxes is none", () => {
  setBoxes([[0, 0, 8, 8]]);
  assert.deepEqual(draft.value.texts.fixlip, { boxes: "[[0,0,8,8]]" });
  assert.deepEqual(boxesOf(draft.value), [[0, 0, 8, 8]]);
  for (const text of ["[[0, 0, 8]]", '{"a": 1}', "[[", '[["a", 0, 1, 1]]']) {
    assert.deepEqual(boxesOf({ ...draft.value, texts: { fixlip: { boxes: text } } }), [], text);
  }
  setBoxes([]);
  assert.deepEqual(draft.value.texts.fixlip, { boxes: "" });
});
