import assert from "node:assert/strict";
import { test } from "node:test";
import { INITIAL_STATE, queryWithState, stateFromQuery, type ViewerState } from "../src/explanation/index.ts";

const OTHER: ViewerState = {
  view: "graph",
  player: 52,
  pairs: 12,
  pairKind: "all",
  size: 0,
  extreme: "worst",
  scale: "own",
  plain: true,
};

test("what is as usual is left out", () => {
  assert.equal(queryWithState(INITIAL_STATE).toString(), "");
  assert.deepEqual(stateFromQuery(new URLSearchParams()), INITIAL_STATE);
});

test("a link reproduces the view", () => {
  const query = queryWithState(OTHER);
  assert.equal(query.toString(), "view=graph&player=52&pairs=12&kind=all&size=0&extreme=worst&scale=own&plain=yes");
  assert.deepEqual(stateFromQuery(query), OTHER);
});

test("other parameters stay", () => {
  const query = queryWithState(INITIAL_STATE, new URLSearchParams("explanations=a%2Cb&view=graph"));
  assert.equal(query.toString(), "explanations=a%2Cb");
});

test("nonsense is as usual", () => {
  const query = new URLSearchParams("view=<img>&player=-1&pairs=1e9&kind=constructor&size=x&extreme=&scale=1&plain=no");
  assert.deepEqual(stateFromQuery(query), INITIAL_STATE);
  assert.equal(stateFromQuery(new URLSearchParams("pairs=900")).pairs, 200);
  assert.equal(stateFromQuery(new URLSearchParams("pairs=0")).pairs, 1);
});
