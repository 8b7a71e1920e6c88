import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";

const COMPLETED = 'id: 3\nevent: completed\ndata: {"status":"succeeded"}\n\n';

Object.assign(globalThis, { location: { pathname: "/" }, addEventListener() {}, removeEventListener() {} });
const api = await import("../../src/page/api/index.ts");

/** Pauses take no time. */
function hurry({ mock }: TestContext): void {
  const { setTimeout: later } = globalThis;
  mock.method(globalThis, "setTimeout", (act: () => void, ms = 0) => later(act, ms > 20_000 ? ms : 0));
}

/** Answers requests one after another, and keeps the ids after which events were asked for. */
function answered({ mock }: TestContext, ...answers: readonly (() => Response)[]): (string | null)[] {
  const ids: (string | null)[] = [];
  const left = [...answers];
  mock.method(globalThis, "fetch", async (_path: string, { headers }: { headers: Headers }) => {
    ids.push(headers.get("Last-Event-ID"));
    const answer = left.shift();
    if (!answer) throw new TypeError("one request too many");
    return answer();
  });
  return ids;
}

function stream(text: string): () => Response {
  return () => new Response(text, { headers: { "Content-Type": "text/event-stream; charset=utf-8" } });
}

function problem(status: number, code: string): () => Response {
  const headers = { "Content-Type": "application/problem+json", "Retry-After": "0" };
  return () => new Response(JSON.stringify({ status, code, detail: code }), { status, headers });
}

async function followed(): Promise<string[]> {
  const seen: string[] = [];
  await api.follow("events", {
    signal: new AbortController().signal,
    onEvent: ({ name }) => {
      seen.push(name);
      return name === "completed";
    },
  });
  return seen;
}

test("an event that broke off is asked for again, and a service that is away for a moment is waited for", async (t) => {
  hurry(t);
  const ids = answered(
    t,
    stream(`id: 2\nevent: progress\ndata: {}\n\n${COMPLETED.slice(0, -12)}`),
    problem(503, "redis_unavailable"),
    problem(502, "bad_gateway"),
    stream(COMPLETED),
  );
  assert.deepEqual(await followed(), ["progress", "completed"]);
  assert.deepEqual(ids, [null, "2", "2", "2"]);
  assert.equal(api.waiting.value, null);
});

test("what is refused for good is told, and nobody is said to wait", async (t) => {
  hurry(t);
  for (const [status, code] of [
    [503, "too_many_streams"],
    [404, "job_not_found"],
  ] as const) {
    answered(t, problem(503, "redis_unavailable"), problem(status, code));
    await assert.rejects(followed(), { code });
  }
  assert.equal(api.waiting.value, null);
});
