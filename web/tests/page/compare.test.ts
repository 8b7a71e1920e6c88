import assert from "node:assert/strict";
import { test } from "node:test";

import { cutOf, difference, seenFrame, shares } from "../../src/page/compare/difference.ts";
import { partner, partners } from "../../src/page/compare/linking.ts";
import { marksOf, namesOf } from "../../src/page/compare/naming.ts";
import { comparablePairs } from "../../src/page/compare/pairs.ts";
import { compareQuery, compareState } from "../../src/page/compare/state.ts";

const ID = (k: number): string => k.toString(16).padStart(32, "0");

// A grid of 1 x 2 patches with the word "circle", one of 1 x 4 with "cir" and "cle"; the third has not seen the last patch.
const COMMON = [
  [[0], [1], [2]],
  [[0], [0], [1], [1], [2], [2]],
  [[0], [], [2]],
];

test("a player has its partners in every other explanation", () => {
  assert.deepEqual(partners(COMMON, 0, 1), [[], [2, 3], []]);
  assert.deepEqual(partners(COMMON, 1, 0), [[0], [], [0]]);
  assert.deepEqual(partners(COMMON, 0, 2), [[], [4, 5], [2]]);
  assert.deepEqual(partners(COMMON, 2, 1), [[], [], []]);
  assert.deepEqual(partners(COMMON, 0, 99), [[], [], []]);
});

test("one partner stands for a player, itself at home, and none where nobody has seen it", () => {
  assert.equal(partner(COMMON, 0, 1, 1), 2);
  assert.equal(partner(COMMON, 1, 3, 1), 3);
  assert.equal(partner(COMMON, 0, 1, 2), null);
});

test("differences are of shares of the greatest", () => {
  const one = { image: [4, -2], text: [0], greatest: { image: 4, text: 0, pairs: null } };
  const other = { image: [-10, 10], text: [3], greatest: { image: 10, text: 3, pairs: null } };
  const rest = { id: "", model: { id: "", revision: "" }, method: "", params: {}, index: "", order: 1, common: [] };
  assert.deepEqual(difference({ ...rest, ...one }, { ...rest, ...other }, "image"), [2, -1.5]);
  assert.deepEqual(difference({ ...rest, ...one }, { ...rest, ...other }, "text"), [-1]);
  assert.deepEqual(shares([0, 0], 0), [0, 0]);
});

test("the common part is cut out of what the first model saw", () => {
  const seen = seenFrame({ view_left: 10, view_top: 0, view_right: 110, view_bottom: 50 });
  assert.deepEqual(cutOf({ left: 35, top: 10, right: 85, bottom: 50 }, seen), {
    left: 0.25,
    top: 0.2,
    right: 0.75,
    bottom: 1,
  });
  assert.deepEqual(cutOf(null, seen), { left: 0, top: 0, right: 1, bottom: 1 });
  assert.equal(seenFrame({ view_left: 10 }), null);
  assert.equal(seenFrame({ view_left: 1, view_top: 0, view_right: 1, view_bottom: 5 }), null);
});

test("the address gives the state again", () => {
  const query = new URLSearchParams({
    explanations: `${ID(1)},${ID(2)}`,
    scales: "one",
    of: "1",
    player: "7",
    view: "graph",
  });
  const state = compareState(query);
  assert.deepEqual(state.ids, [ID(1), ID(2)]);
  assert.deepEqual([state.isOneScale, state.of, state.viewer.player, state.viewer.view], [true, 1, 7, "graph"]);
  assert.deepEqual(compareState(compareQuery(state)), state);
});

test("what makes no sense in an address is left out", () => {
  const many = [1, 1, 2, 3, 4, 5].map(ID).join(",");
  const state = compareState(new URLSearchParams({ explanations: `x,${many},<b>`, of: "9" }));
  assert.deepEqual(state.ids, [1, 2, 3, 4].map(ID));
  assert.equal(state.of, 0);
  assert.equal(compareQuery(compareState(new URLSearchParams())).toString(), "");
});

const asked = (method: string, params: Record<string, number>, model = "demo") => ({
  model: { id: model, revision: "" },
  method,
  params,
});

test("names say what sets explanations apart", () => {
  const jobs = [asked("fixlip", { p: 0.5 }), asked("fixlip", { p: 0.3 }), asked("nib", {})];
  assert.deepEqual(marksOf(jobs), [["p=0.5"], ["p=0.3"], []]);
  assert.deepEqual(namesOf(jobs), ["fixlip p=0.5", "fixlip p=0.3", "nib"]);
  assert.deepEqual(namesOf([asked("nib", {}), asked("nib", {}, "other")]), ["demo nib", "other nib"]);
});

test("pairs with two explanations can be compared; of a chosen one, its own pair", () => {
  const job = (id: number, caption: string) => ({ ...JOB, id: ID(id), input: { image_sha256: "0", caption } });
  const jobs = [job(1, "a"), job(2, "b"), job(3, "a")];
  const found = comparablePairs(jobs, null);
  assert.deepEqual(
    found.map((pair) => pair.jobs.map(({ id }) => id)),
    [[ID(1), ID(3)]],
  );
  assert.deepEqual(
    comparablePairs(jobs, job(4, "b")).map((pair) => pair.jobs.map(({ id }) => id)),
    [[ID(4), ID(2)]],
  );
});

const JOB = {
  id: "",
  status: "succeeded",
  ...asked("fixlip", {}),
  input: { image_sha256: "0", caption: "a" },
  evaluate: [],
  output: null,
  error: null,
  progress: { completed: 0, total: 0 },
  metrics: { queue_s: null, run_s: null, forward_passes: null, evaluation_passes: null },
  attempt: 1,
  created_at: "",
  started_at: null,
  cancel_requested_at: null,
  completed_at: null,
  expires_at: null,
  cached: false,
  metadata: {},
  batch_id: null,
  custom_id: null,
  estimated_start: null,
  estimated_duration_s: null,
} as const;
