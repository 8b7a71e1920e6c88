import assert from "node:assert/strict";
import { test } from "node:test";

import { EventReader } from "../../src/page/api/sse.ts";

const STREAM = [
  "retry: 2000\n\n",
  ": ping\n\n",
  'id: 1\nevent: start\ndata: {"attempt":1}\n\n',
  "id: 1-2-4\r\nevent: progress\r\ndata: a\r\ndata:  b\r\n\r\n",
  "data\n\n",
  "event: lost\n\n",
].join("");
const EVENTS = [
  { name: "start", data: '{"attempt":1}' },
  { name: "progress", data: "a\n b" },
  { name: "message", data: "" },
];

test("events are read however the text is cut", () => {
  for (let size = 1; size <= STREAM.length; size++) {
    const reader = new EventReader();
    const events = [];
    for (let at = 0; at < STREAM.length; at += size) events.push(...reader.read(STREAM.slice(at, at + size)));
    assert.deepEqual(events, EVENTS, `pieces of ${size}`);
    assert.equal(reader.lastId, "1-2-4");
    assert.equal(reader.retryMs, 2000);
  }
});

test("what a broken stream has begun is not joined to the next", () => {
  const reader = new EventReader();
  assert.deepEqual([...reader.read("id: 6\ndata: first\n\nid: 7\nevent: completed\ndata: half\n")].length, 1);
  assert.equal(reader.lastId, "6", "what broke off is still to come");
  reader.restart();
  assert.deepEqual([...reader.read("data: whole\n\n")], [{ name: "message", data: "whole" }]);
  assert.equal(reader.lastId, "6");
});
