import assert from "node:assert/strict";
import { test } from "node:test";
import { Explanation, extremeSubsets, subsetsFromDocument } from "../src/explanation/index.ts";
import { truth } from "./truth.ts";

function players(coalitions: readonly Uint8Array[]): number[][] {
  return coalitions.map((coalition) => [...coalition]);
}

truth.subsets.forEach((said, k) => {
  const { first, pairs, n } = Explanation.fromDocument(said.document);

  test(`the subsets of ${n} players are those of the library (${k})`, async () => {
    const found = await extremeSubsets(first, pairs);
    assert.deepEqual(players(found.best), said.best);
    assert.deepEqual(players(found.worst), said.worst);
    found.bestValues.forEach((value, size) => {
      assert.ok(Math.abs(value - (said.best_values[size] ?? Number.NaN)) < 1e-9);
    });
    found.worstValues.forEach((value, size) => {
      assert.ok(Math.abs(value - (said.worst_values[size] ?? Number.NaN)) < 1e-9);
    });
  });
});

const said = truth.subsets.at(-1);
assert.ok(said);
const explanation = Explanation.fromDocument(said.document);

test("a search lets others work in between, and finds the same", async () => {
  const slow = performance.now.bind(performance);
  let now = 0;
  // Every look at the clock takes a slice.
  performance.now = () => (now += 1000);
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  const found = await extremeSubsets(explanation.first, explanation.pairs);
  clearInterval(timer);
  performance.now = slow;
  assert.deepEqual(players(found.best), said.best);
  assert.ok(turns > 10);
});

test("a search that nobody waits for ends", async () => {
  const controller = new AbortController();
  const found = extremeSubsets(explanation.first, explanation.pairs, controller.signal);
  controller.abort();
  await assert.rejects(found, { name: "AbortError" });
});

test("subsets that were measured are taken as they are", () => {
  const document = {
    greatest: [[], [1], [0, 1]],
    least: [[], [0], [0, 1]],
    greatest_values: [0, 2, 1],
    least_values: [0, -1, 1],
  };
  const found = subsetsFromDocument(document, 2);
  assert.deepEqual(players(found.best), [
    [0, 0],
    [0, 1],
    [1, 1],
  ]);
  assert.deepEqual([...found.worstValues], [0, -1, 1]);
});
