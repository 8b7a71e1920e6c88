import assert from "node:assert/strict";
import { test } from "node:test";
import { modelOf } from "../src/viewer/model.ts";
import { arranged, asCsv, pairRows, playerRows, type ValueRow } from "../src/viewer/value-rows.ts";
import { exampleReport } from "./viewer-examples.ts";

const model = modelOf(exampleReport());
const STRONGEST = { key: "strength", descending: true } as const;
const labels = (rows: readonly ValueRow[]) => rows.map(({ label }) => label);

test("players and pairs are sorted by size, sign or name", () => {
  const players = playerRows(model);
  assert.deepEqual(labels(arranged(players, "", STRONGEST)), ["dog", "r0c1", "sofa", "r0c0"]);
  assert.deepEqual(labels(arranged(players, "", { key: "value", descending: false })), ["r0c1", "sofa", "r0c0", "dog"]);
  assert.deepEqual(labels(arranged(players, "", { key: "label", descending: true })).at(0), "sofa");
  assert.deepEqual(labels(arranged(pairRows(model), "", STRONGEST)), ["sofa × dog", "dog × r0c1", "dog × r0c0"]);
});

test("missing numbers are last either way", () => {
  const [first, second] = playerRows(model)
    .slice(0, 2)
    .map((row, k) => (k ? row : { ...row, stdError: Number.NaN }));
  const rows = [first, second].filter((row) => row !== undefined);
  for (const descending of [true, false]) {
    assert.deepEqual(labels(arranged(rows, "", { key: "stdError", descending })), ["r0c1", "r0c0"]);
  }
});

test("a filter's words must all be in a label", () => {
  const pairs = pairRows(model);
  assert.deepEqual(labels(arranged(pairs, " DOG  r0c1", STRONGEST)), ["dog × r0c1"]);
  assert.deepEqual(arranged(pairs, "cat", STRONGEST), []);
});

test("what is copied is CSV in which no label is a formula", () => {
  const hostile = modelOf(exampleReport({ labels: ["r0c0", "r0c1", '=2"+3', "so,fa"], first_std_error: null }));
  assert.equal(
    asCsv(playerRows(hostile), "players"),
    'player,main_effect,value,std_error\r\n"r0c0",1.25,1,\r\n"r0c1",-2.5,-2,\r\n"\'=2""+3",4.75,3,\r\n"so,fa",2.25,0.25,\r\n',
  );
  assert.equal(asCsv(pairRows(model).slice(0, 1), "pairs"), 'pair,value,std_error\r\n"sofa × dog",4,0.5\r\n');
});
