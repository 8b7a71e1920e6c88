import assert from "node:assert/strict";
import { test } from "node:test";
import { INITIAL_STATE, type ViewerState, withError } from "../src/explanation/index.ts";
import { conditionedLook, effectsLook, graphLook, subsetLook } from "../src/viewer/look.ts";
import { modelOf, scaleLimits } from "../src/viewer/model.ts";
import { isPointedAt } from "../src/viewer/panel.ts";
import { readoutOf, tipOf } from "../src/viewer/readout.ts";
import { partnersOf } from "../src/viewer/speech.ts";
import { attribution, exampleReport } from "./viewer-examples.ts";

const model = modelOf(exampleReport());
const state: ViewerState = INITIAL_STATE;

test("scales reach as far as main effects, and as pairs of image and text", () => {
  assert.deepEqual(scaleLimits(model.explanation), { effects: 4.75, pairs: 1 });
  assert.equal(model.resting, 2);
  assert.deepEqual(modelOf(exampleReport(), { pairs: 8 }).limits, { effects: 4.75, pairs: 8 });
});

test("words of an attribution by tower have a scale of their own", () => {
  const apart = modelOf(attribution());
  assert.deepEqual([apart.limits.effects, apart.wordsLimit], [2, 30]);
  assert.match(effectsLook(apart).label ?? "", /own scale/);
  assert.match(apart.withoutPairs ?? "", /none to pairs/);
  assert.equal(conditionedLook(apart, 2, "shared").values, null);
});

test("a conditioned map says which scale it is on, and what is beyond it", () => {
  const shared = conditionedLook(model, 2, "shared");
  assert.equal(shared.limit, 1);
  assert.deepEqual([...(shared.values ?? [])], [0.5, -1, 0, 4]);
  assert.match(shared.note ?? "", /same scale.*stronger pairs/);
  const own = conditionedLook(model, 2, "own");
  assert.equal(own.limit, 4);
  assert.match(own.note ?? "", /do not compare/);
  assert.doesNotMatch(conditionedLook(model, 0, "shared").note ?? "", /stronger pairs/);
});

test("a graph's widths reach as far as its strongest pair", () => {
  assert.equal(graphLook(model, model.explanation.topPairs(1)).limit, 4);
  assert.equal(graphLook(model, model.explanation.topPairs(1, { kind: "cross" })).limit, 1);
});

test("partners come strongest first, and those without a value not at all", () => {
  assert.deepEqual(
    partnersOf(model, 2).map(({ player, value, stdError }) => [player, value, stdError]),
    [
      [3, 4, 0.5],
      [1, -1, 0.5],
      [0, 0.5, 0.5],
    ],
  );
});

test("the read-out names whom is pointed at, with values and errors", () => {
  const effects = effectsLook(model);
  const told = (marked: readonly number[], look = effects, player: number | null = null) =>
    readoutOf({ model, state: { ...state, player }, marked, arePair: marked.length === 2 }, look);
  assert.match(told([]), /^Point at/);
  assert.equal(
    told([1]),
    `patch row 0, column 1: main effect −2.5, alone ${withError(-2, 0.125)}; strongest partner word “dog”, ${withError(-1, 0.5)}`,
  );
  assert.equal(told([1, 2]), `word “dog” with patch row 0, column 1: ${withError(-1, 0.5)}`);
  assert.match(told([], effects, 3), /^word “sofa”/);
  const dog = conditionedLook(model, 2, "shared");
  assert.equal(told([0], dog), `word “dog” with patch row 0, column 0: ${withError(0.5, 0.5)}`);
  assert.match(told([], dog), /^word “dog”: main effect \+4.75/);
});

test("two patches that meet one of another grid are no pair", () => {
  const met = { marked: [0, 1], arePair: false };
  assert.match(readoutOf({ model, state, ...met }, effectsLook(model)), /^Point at/);
  const pairs = model.explanation.topPairs(10).map(({ players }) => players);
  const concerned = pairs.filter(([one]) => one <= 1);
  assert.ok(concerned.length > 1 && concerned.length < pairs.length);
  assert.deepEqual(
    pairs.filter((players) => isPointedAt(players, met)),
    concerned,
  );
  assert.deepEqual(
    pairs.filter((players) => isPointedAt(players, { marked: [1, 2], arePair: true })),
    [[1, 2]],
  );
});

test("tips are a few words", () => {
  assert.equal(tipOf(model, effectsLook(model), 0), "r0c0 +1.25");
  assert.equal(tipOf(model, conditionedLook(model, 2, "shared"), 1), `dog × r0c1 ${withError(-1, 0.5)}`);
  assert.equal(tipOf(model, subsetLook(Uint8Array.of(1, 0, 1, 1)), 1), "r0c1 removed");
});

test("words that turn the text are kept within themselves", () => {
  const turned = "\u202edog";
  const hostile = modelOf(exampleReport({ tokens: [turned, "sofa"], labels: ["r0c0", "r0c1", turned, "sofa"] }));
  assert.equal(tipOf(hostile, effectsLook(hostile), 2), `\u2068${turned}\u2069 +4.75`);
});

test("patches and words may each be on a scale of their own, and the key says so", () => {
  const own = effectsLook(model, "own");
  assert.deepEqual([own.limit, own.wordsLimit], [2.5, 4.75]);
  assert.match(own.note ?? "", /to ±4.75/);
  const apart = modelOf(attribution());
  assert.deepEqual(effectsLook(apart, "own"), effectsLook(apart, "shared"));
});
