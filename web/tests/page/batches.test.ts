import assert from "node:assert/strict";
import { test } from "node:test";

import { axisOf, placeOn } from "../../src/page/batches/axis.ts";
import { batchStatus, itemStatus, scoreText } from "../../src/page/batches/naming.ts";
import { ItemReader, type ItemRow, variedParams, wayName } from "../../src/page/batches/rows.ts";
import { formOf, newKey } from "../../src/page/batches/submission.ts";
import {
  chosenRows,
  PAGE_ROWS,
  pageOf,
  type TableState,
  tableQuery,
  tableState,
} from "../../src/page/batches/table.ts";
import { Turns } from "../../src/page/thumbnails/turns.ts";

function line(index: number, changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    index,
    custom_id: `item-${index}`,
    pair_id: `pair-${index}`,
    job_id: index.toString(16).padStart(32, "0"),
    status: "succeeded",
    model: "demo",
    method: "fixlip",
    params: { p: 0.5, seed: 0 },
    error: null,
    caption: `“a” 🎉 number ${index}`,
    scores: [{ metric: "aid", name: "first_order", value: index / 10, higher_is_better: true }],
    ...changes,
  };
}

function read(lines: readonly object[], pieceBytes: number): ItemReader {
  const bytes = new TextEncoder().encode(lines.map((each) => `${JSON.stringify(each)}\n`).join(""));
  const reader = new ItemReader();
  for (let at = 0; at < bytes.length; at += pieceBytes) reader.push(bytes.subarray(at, at + pieceBytes));
  return reader;
}

const state = (text: string): TableState => tableState(new URLSearchParams(text));
const byMethod = (row: ItemRow): string => row.method;
const indices = (rows: readonly ItemRow[]): number[] => rows.map(({ index }) => index);

test("lines are read however they are cut, in the midst of a character too", () => {
  const lines = [line(0), line(1, { scores: [], status: "failed", error: { code: "x", detail: "y" } })];
  const whole = read(lines, 1_000_000).items();
  assert.deepEqual(read(lines, 1).items(), whole);
  assert.equal(whole.rows[0]?.caption, "“a” 🎉 number 0");
  assert.deepEqual(whole.rows[0]?.params, { p: "0.5", seed: "0" });
  assert.deepEqual(whole.rows[1]?.error, { code: "x", detail: "y" });
  assert.deepEqual(whole.scores, [
    { key: "aid.first_order", metric: "aid", name: "first_order", higherIsBetter: true },
  ]);
});

test("a line that is not over yet is no row", () => {
  const reader = new ItemReader();
  reader.push(new TextEncoder().encode(JSON.stringify(line(0))));
  assert.equal(reader.items().rows.length, 0);
  reader.push(new TextEncoder().encode("\n"));
  assert.equal(reader.items().rows.length, 1);
});

test("ways are told apart by what differs among those of their method", () => {
  const way = (method: string, params: Record<string, string>) => ({ method, params });
  const ways = [way("fixlip", { p: "0.5", budget: "64" }), way("fixlip", { p: "0.3", budget: "64" }), way("nib", {})];
  const varied = variedParams(ways);
  assert.deepEqual(
    ways.map((each) => wayName(each, varied)),
    ["fixlip p=0.5", "fixlip p=0.3", "nib"],
  );
  assert.equal(wayName(way("fixlip", {}), varied), "fixlip p=none");
});

test("rows are sorted by any column, and those without a value come last either way", () => {
  const { rows } = read([line(0), line(1, { scores: [] }), line(2), line(10)], 100).items();
  const sorted = (query: string): number[] => indices(chosenRows(rows, state(query), byMethod));
  assert.deepEqual(sorted(""), [0, 1, 2, 10]);
  assert.deepEqual(sorted("sort=-index"), [10, 2, 1, 0]);
  assert.deepEqual(sorted("sort=item"), [0, 1, 2, 10]); // numbers within texts count as numbers
  assert.deepEqual(sorted("sort=aid.first_order"), [0, 2, 10, 1]);
  assert.deepEqual(sorted("sort=-aid.first_order"), [10, 2, 0, 1]);
  assert.deepEqual(sorted("sort=-model"), [0, 1, 2, 10]); // what is equal keeps its place
});

test("rows are filtered by words, model, method and status, all at once", () => {
  const failed = { status: "failed", error: { code: "invalid_image", detail: "no image" } };
  const { rows } = read(
    [line(0), line(1, { model: "other" }), line(2, { method: "nib" }), line(3, failed)],
    100,
  ).items();
  const chosen = (query: string): number[] => indices(chosenRows(rows, state(query), byMethod));
  assert.deepEqual(chosen("text=NUMBER+2"), [2]);
  assert.deepEqual(chosen("text=invalid_image"), [3]);
  assert.deepEqual(chosen("model=other"), [1]);
  assert.deepEqual(chosen("method=nib"), [2]);
  assert.deepEqual(chosen("status=failed&model=demo"), [3]);
  assert.deepEqual(chosen("status=failed&model=other"), []);
});

test("the address has what is not as it is anyway, and gives the same state", () => {
  assert.equal(tableQuery(state("")).toString(), "");
  const text = "sort=-aid.first_order&text=a+b&model=demo&method=fixlip+p%3D0.5&status=failed&page=3";
  assert.equal(tableQuery(state(text)).toString(), text);
  assert.equal(state("page=-1").page, 1);
  assert.equal(state("page=x&sort=-").sort, "index");
});

test("pages that are not there are the last", () => {
  const { rows } = read(
    Array.from({ length: PAGE_ROWS + 1 }, (_, k) => line(k)),
    1000,
  ).items();
  assert.deepEqual(pageOf(rows, 9), { rows: rows.slice(PAGE_ROWS), page: 2, pages: 2 });
  assert.deepEqual(pageOf([], 1), { rows: [], page: 1, pages: 1 });
});

test("ten thousand rows are read and sorted", () => {
  const reader = read(
    Array.from({ length: 10_000 }, (_, k) => line(k)),
    65_536,
  );
  const rows = chosenRows(reader.items().rows, state("sort=-caption"), byMethod);
  assert.equal(rows[0]?.index, 9_999);
  assert.equal(rows.length, reader.length);
});

test("an axis has round values, and zero where it is near", () => {
  assert.deepEqual(axisOf([0.2, 0.9]).low, 0);
  assert.ok(axisOf([0.85, 0.93]).low > 0.8);
  const around = axisOf([-3, 5]);
  assert.ok(around.ticks.includes(0) && around.low < -3 && around.high > 5);
  assert.ok(around.ticks.every((tick) => placeOn(around, tick) >= 0 && placeOn(around, tick) <= 1));
  assert.deepEqual(axisOf([]), { low: 0, high: 1, ticks: [0, 1] });
  const point = axisOf([0.3]);
  assert.ok(point.low < 0.3 && point.high > 0.3);
});

test("scores have three digits and a true minus", () => {
  assert.deepEqual([0.12345, -1.5, 0, null, 0.00001].map(scoreText), ["0.123", "−1.500", "0.000", "none", "1.0e−5"]);
});

test("what a batch that has ended without all results is called", () => {
  const counts = { total: 3, queued: 0, running: 0, completed: 2, failed: 1, canceled: 0 };
  const batch = { id: "1", status: "succeeded", request_counts: counts, cancel_requested_at: null } as const;
  const rest = {
    error: null,
    retries: 0,
    created_at: "",
    started_at: null,
    completed_at: null,
    expires_at: null,
    metadata: {},
  };
  assert.equal(batchStatus({ ...batch, ...rest }), "Done, not all with a result");
  assert.equal(batchStatus({ ...batch, ...rest, status: "running" }), "Running, 3 of 3");
  assert.equal(batchStatus({ ...batch, ...rest, status: "running", cancel_requested_at: "now" }), "Being canceled");
  assert.equal(itemStatus("removed"), "deleted");
});

test("a form is sent with what was chosen, and not without a manifest", async () => {
  const manifest = new File(["image,caption\n"], '"><b>.csv');
  const wish = { manifest, images: null, models: ["demo"], methods: ["nib"], evaluate: [] };
  assert.equal(formOf({ ...wish, manifest: null }), null);
  const form = formOf(wish);
  assert.deepEqual([...(form?.keys() ?? [])], ["manifest", "models", "methods"]);
  assert.equal(form?.get("methods"), '[{"method":"nib"}]');
  assert.match(newKey(), /^[0-9a-f]{32}$/);
  assert.notEqual(newKey(), newKey());
});

test("tasks take turns, and one that nobody waits for is not begun", async () => {
  const turns = new Turns(1);
  const begun: string[] = [];
  let finish: () => void = () => undefined;
  const promise = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const left = new AbortController();
  const task = (name: string, until: Promise<void>) => async () => {
    begun.push(name);
    await until;
  };
  const stays = new AbortController().signal;
  const first = turns.run(task("first", promise), stays);
  const second = turns.run(task("second", Promise.resolve()), left.signal);
  const third = turns.run(task("third", Promise.resolve()), stays);
  left.abort();
  finish();
  await assert.rejects(second);
  await Promise.all([first, third]);
  assert.deepEqual(begun, ["first", "third"]);
});
