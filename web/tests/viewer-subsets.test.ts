import assert from "node:assert/strict";
import { test } from "node:test";
import { Explanation, extremeSubsets, type ReportDocument } from "../src/explanation/index.ts";
import { choiceOf, knownSubsets, measuredCurves, rankedSubsets, sizeOf } from "../src/viewer/subset-choice.ts";
import { attribution, exampleReport } from "./viewer-examples.ts";

function explanationOf(report: ReportDocument): Explanation {
  return Explanation.fromDocument(report.explanation);
}

function evaluated(): ReportDocument {
  const curves = { most_first: [1, -1, 0], least_first: [1, 0.5, 0], area: 0.75 };
  const subsets = {
    greatest: [[], [2], [2, 3], [0, 2, 3], [0, 1, 2, 3]],
    least: [[], [1], [0, 1], [0, 1, 3], [0, 1, 2, 3]],
    greatest_values: [0, 3, 7.25, 8.75, 5.75],
    least_values: [0, -2, -1, -0.75, 5.75],
  };
  const found = {
    removed: [0, 0.5, 1],
    first_order: curves,
    second_order: curves,
    subsets,
    empty_value: 1,
    full_value: 5,
    flipped: false,
  };
  return exampleReport(
    {},
    {
      evaluation: {
        evaluate: ["aid"],
        seed: 0,
        scores: [],
        image_passes: 0,
        text_passes: 0,
        insertion_deletion: found,
      },
    },
  );
}

test("half of the players are shown, or as many as there are", () => {
  assert.deepEqual([sizeOf(null, 5), sizeOf(2, 5), sizeOf(90, 5)], [3, 2, 5]);
});

test("subsets that were measured are taken; others of pairs are searched for", () => {
  const report = evaluated();
  const known = knownSubsets(explanationOf(report), report);
  assert.deepEqual([...(known?.best[2] ?? [])], [0, 0, 1, 1]);
  assert.deepEqual(known?.predicted?.worst, [1, -1, 0, 0.25, 6.75]);
  const searched = exampleReport();
  assert.equal(knownSubsets(explanationOf(searched), searched), null);
});

test("what the search finds is predicted with the baseline", async () => {
  const explanation = explanationOf(exampleReport());
  const found = await extremeSubsets(explanation.first, explanation.pairs);
  const { best, predicted, basis } = choiceOf(explanation, found);
  assert.equal(basis, "pairs");
  assert.equal(predicted?.best[2], explanation.predict(Uint8Array.of(0, 0, 1, 1)));
  assert.deepEqual([...(best[2] ?? [])], [0, 0, 1, 1]);
});

test("attributions rank players and predict nothing", () => {
  const report = attribution();
  const choice = knownSubsets(explanationOf(report), report);
  assert.deepEqual([choice?.basis, choice?.predicted], ["ranking", null]);
  assert.deepEqual([...(choice?.best[1] ?? [])], [0, 0, 1, 0]);
  assert.deepEqual([...(choice?.worst[2] ?? [])], [1, 1, 0, 0]);
});

test("of equal players the last stay longest, on either side", () => {
  const zeros = Buffer.from(new Float32Array(4).buffer).toString("base64");
  const ranked = rankedSubsets(explanationOf(exampleReport({ main_effects: zeros })));
  assert.deepEqual([...(ranked.best[1] ?? [])], [0, 0, 0, 1]);
  assert.deepEqual([...(ranked.worst[1] ?? [])], [0, 0, 0, 1]);
});

test("first-order explanations predict by their values alone", () => {
  const explanation = explanationOf(exampleReport({ order: 1, pairs: null }));
  const { predicted } = rankedSubsets(explanation);
  assert.deepEqual(predicted?.best[1], 4);
});

test("measured curves are in the score's own units", () => {
  const curves = measuredCurves(evaluated(), "pairs", 4);
  assert.deepEqual(curves?.best[1], { size: 2, value: 3 });
  assert.deepEqual(curves?.worst[1], { size: 2, value: -3 });
  assert.equal(measuredCurves(exampleReport(), "pairs", 4), null);
});
