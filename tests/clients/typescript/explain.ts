import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import createClient from "openapi-fetch";

import type { paths } from "./api.js";

const [image, caption] = process.argv.slice(2);
if (!image || !caption) throw new Error("usage: node explain.js IMAGE CAPTION");

const key = process.env.FIXLIP_API_KEY;
const { GET, POST } = createClient<paths>({
  baseUrl: process.env.FIXLIP_URL ?? "http://127.0.0.1:8000",
  headers: key ? { Authorization: `Bearer ${key}` } : {},
});

function checked<T>({ data, error }: { data?: T; error?: { code: string; detail: string } }): NonNullable<T> {
  if (error || data === undefined || data === null) throw new Error(`${error?.code}: ${error?.detail}`);
  return data;
}

let job = checked(
  await POST("/v1/explanations", {
    // The same key with every try, so that a lost answer does not make a second job.
    params: { header: { "Idempotency-Key": randomUUID(), Prefer: "wait=10" } },
    body: {
      image: (await readFile(image)).toString("base64"),
      caption,
      params: { budget: 128, seed: 0 },
    },
  }),
);
const path = { explanation_id: job.id };
while (job.status === "queued" || job.status === "running") {
  const answer = await GET("/v1/explanations/{explanation_id}", { params: { path } });
  job = checked(answer);
  await sleep(1000 * Number(answer.response.headers.get("Retry-After") ?? 0));
}
if (job.status !== "succeeded") throw new Error(`${job.status}: ${job.error?.detail}`);

const result = checked(await GET("/v1/explanations/{explanation_id}/result", { params: { path } }));
for (const { labels, value, std_error } of result.top_interactions.slice(0, 5)) {
  console.log(labels.join(" x "), value.toFixed(3), "+-", std_error?.toFixed(3) ?? "unknown");
}
