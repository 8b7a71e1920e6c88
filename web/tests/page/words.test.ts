import assert from "node:assert/strict";
import { test } from "node:test";

import { ApiProblem, problemOf, secondsOf } from "../../src/page/api/problems.ts";
import { ago, bytes, duration } from "../../src/page/words.ts";

test("durations", () => {
  for (const [seconds, text] of [
    [0.84, "0.8 s"],
    [9.99, "10 s"],
    [42.4, "42 s"],
    [59.7, "1 min 0 s"],
    [200, "3 min 20 s"],
    [7500, "2 h 5 min"],
  ] as const) {
    assert.equal(duration(seconds), text);
  }
});

test("ages", () => {
  const now = Date.parse("2024-05-02T12:00:00Z");
  assert.equal(ago("2024-05-02T11:59:58Z", now), "just now");
  assert.equal(ago("2024-05-02T11:58:30Z", now), "1 minute ago");
  assert.equal(ago("2024-05-01T11:00:00Z", now), "yesterday");
  assert.equal(ago("2024-05-02T14:30:00Z", now), "in 2 hours");
});

test("lengths", () => {
  assert.deepEqual([820, 1400, 2_340_000].map(bytes), ["820 bytes", "1 kB", "2.3 MB"]);
});

test("Retry-After is seconds or a date", () => {
  assert.equal(secondsOf("7"), 7);
  assert.equal(secondsOf("Thu, 02 May 2024 12:00:30 GMT", Date.parse("2024-05-02T12:00:00Z")), 30);
  assert.equal(secondsOf("soon"), null);
  assert.equal(secondsOf(null), null);
});

test("problems are the service's own words; a proxy's page is told by its status", async () => {
  const body = { code: "queue_full", detail: "the queue is full", request_id: "r1", errors: [], status: 503 };
  const headers = { "Content-Type": "application/problem+json", "Retry-After": "5" };
  const ours = await problemOf(new Response(JSON.stringify(body), { status: 503, headers }));
  assert.ok(ours instanceof ApiProblem);
  assert.deepEqual([ours.code, ours.detail, ours.requestId, ours.retryAfterS], ["queue_full", body.detail, "r1", 5]);
  assert.ok(ours.isPassing);
  const theirs = await problemOf(new Response("<h1>Not today</h1>", { status: 404 }));
  assert.deepEqual([theirs.code, theirs.isPassing], ["unexpected_answer", false]);
  assert.equal(theirs.detail, "the service answered with the status 404");
});
