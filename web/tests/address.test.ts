import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

import { keepFragment, replaceFragment } from "../src/ui/address.ts";

const location = { href: "#/" };
let changes = 0;

function prepare({ mock }: TestContext): void {
  mock.timers.enable({ apis: ["setTimeout"] });
  changes = 0;
  const replaceState = (_state: null, _title: string, fragment: string): void => {
    changes += 1;
    location.href = fragment;
  };
  Object.assign(globalThis, { history: { replaceState }, location });
}

function draw(count: number): void {
  for (let value = 1; value <= count; value++) replaceFragment(`#/?size=${value}`);
}

test("a change is shown at once; of very many, the last is shown in the end", (t) => {
  prepare(t);
  replaceFragment("#/?size=0");
  assert.equal(location.href, "#/?size=0");
  draw(500);
  assert.ok(changes < 60, `${changes} changes`);
  t.mock.timers.tick(60_000);
  assert.equal(location.href, "#/?size=500");
  assert.ok(changes < 100, `${changes} changes`);
});

test("what was still to be shown of a view is not once the reader has gone elsewhere", (t) => {
  prepare(t);
  draw(500);
  location.href = "#/batches";
  t.mock.timers.tick(60_000);
  assert.equal(location.href, "#/batches");
  draw(500);
  const before = location.href;
  keepFragment();
  t.mock.timers.tick(60_000);
  assert.equal(location.href, before);
});
