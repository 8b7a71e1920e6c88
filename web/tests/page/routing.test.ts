import assert from "node:assert/strict";
import { test } from "node:test";

import { fragmentOf, fragmentOfJob, parseRoute } from "../../src/page/routing.ts";

test("every view has an address", () => {
  for (const [fragment, view, id] of [
    ["", "new", ""],
    ["#/", "new", ""],
    ["#/explanations", "explanations", ""],
    ["#/explanations/abc?view=graph", "explanation", "abc"],
    ["#/compare?explanations=a,b", "compare", ""],
    ["#/batches", "batches", ""],
    ["#/batches/b1?sort=caption", "batch", "b1"],
    ["#/compare/abc", "unknown", "abc"],
    ["#/explanations/a/b", "unknown", "a"],
    ["#/%", "unknown", ""],
    ["#/explanations/..", "unknown", ".."],
    ["#/batches/%2e", "unknown", "."],
  ] as const) {
    const route = parseRoute(fragment);
    assert.deepEqual([route.view, route.id], [view, id], fragment);
  }
});

test("ids and queries come back as they went in", () => {
  const id = "a/b?c%<script>";
  const route = parseRoute(fragmentOfJob(id, new URLSearchParams({ player: "3", text: "a&b?" })));
  assert.equal(route.view, "explanation");
  assert.equal(route.id, id);
  assert.deepEqual(Object.fromEntries(route.query), { player: "3", text: "a&b?" });
  assert.equal(fragmentOf("compare", {}), "#/compare");
});

test("a part that is no percent-encoding is taken as it is", () => {
  assert.equal(parseRoute("#/explanations/%zz").id, "%zz");
});
