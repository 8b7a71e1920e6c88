/** Requests to the service: the only place that fetches. */

import { signal } from "@preact/signals";

import { apiKey, newKey } from "./credentials.ts";
import { ApiProblem, ConnectionLost, problemOf } from "./problems.ts";

/** How a request is made. */
export interface RequestOptions {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
  readonly signal?: AbortSignal | undefined;
  /** Whether it is tried again until there is an answer; by default, a GET is. */
  readonly isPatient?: boolean;
}

/** Why requests wait, and until when (milliseconds since the epoch); null as long as they need not. */
export interface Wait {
  readonly kind: "lost" | "busy";
  readonly detail: string;
  readonly until: number;
}

export const waiting = signal<Wait | null>(null);

const FIRST_PAUSE_S = 1;
const LONGEST_PAUSE_S = 15;
const NEVER = new AbortController().signal;

/**
 * The answer to a request, which is a good one.
 *
 * @param path relative to the page, so that the service may live below any prefix: `v1/models`.
 * @throws ApiProblem the service refuses. 401 is no error: the page asks for a key and repeats the request.
 * @throws ConnectionLost it cannot be reached; a patient request waits until it can.
 */
export async function request(path: string, options: RequestOptions = {}): Promise<Response> {
  const isPatient = options.isPatient ?? (options.method ?? "GET") === "GET";
  const stop = options.signal ?? NEVER;
  for (let tries = 0; ; tries += 1) {
    const key = apiKey.value;
    const outcome = await attempt(path, options, key);
    if (outcome instanceof Response) {
      waiting.value = null;
      return outcome;
    }
    if (isPatient && isPassing(outcome)) {
      await pause(tries, outcome, stop);
      continue;
    }
    if (!isPassing(outcome)) waiting.value = null; // it is an answer, too
    if (!("status" in outcome && outcome.status === 401)) throw outcome;
    if (apiKey.value === key) await newKey(outcome.detail, stop); // else it has changed meanwhile
  }
}

/** Whether the same request may well succeed in a moment. */
export function isPassing(error: unknown): error is ApiProblem | ConnectionLost {
  return error instanceof ConnectionLost || (error instanceof ApiProblem && error.isPassing);
}

async function attempt(
  path: string,
  options: RequestOptions,
  key: string | null,
): Promise<Response | ApiProblem | ConnectionLost> {
  const headers = new Headers(options.headers);
  if (key !== null) headers.set("Authorization", `Bearer ${key}`);
  const { method = "GET", body = null, signal = null } = options;
  try {
    const response = await fetch(path, { method, headers, body, signal });
    return response.ok ? response : await problemOf(response);
  } catch (error) {
    if (signal?.aborted) throw error;
    return new ConnectionLost();
  }
}

/** Wait before the next try: as long as the service asks for, else ever longer; less if the network comes back. */
export async function pause(tries: number, why: ApiProblem | ConnectionLost, stop: AbortSignal): Promise<void> {
  const asked = why instanceof ConnectionLost ? null : why.retryAfterS;
  // A proxy may ask for no pause at all; that is not what it needs.
  const least = Math.min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** tries) * (0.75 + Math.random() / 2);
  const seconds = asked ? Math.max(asked, FIRST_PAUSE_S) : least;
  const kind = why instanceof ConnectionLost ? "lost" : "busy";
  const wait: Wait = { kind, detail: why.message, until: Date.now() + 1000 * seconds };
  waiting.value = wait;
  try {
    await sleep(seconds, stop);
  } catch (left) {
    if (waiting.value === wait) waiting.value = null; // nobody waits any more
    throw left;
  }
}

/** Wait for so many seconds, or until the browser is online again; thrown out of by `stop`. */
export function sleep(seconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      clearTimeout(timer);
      removeEventListener("online", wake);
      stop.removeEventListener("abort", abort);
    };
    const wake = (): void => {
      end();
      resolve();
    };
    const abort = (): void => {
      end();
      reject(stop.reason);
    };
    const timer = setTimeout(wake, 1000 * seconds);
    addEventListener("online", wake);
    stop.addEventListener("abort", abort);
    if (stop.aborted) abort();
  });
}

/** The JSON of an answer, taken at its word. */
export async function getJson<T>(path: string, options: RequestOptions = {}): Promise<T> {
  return (await request(path, options)).json();
}

/** The address of a picture that is fetched with the key; whoever asks revokes it. */
export async function imageUrl(path: string, options: RequestOptions = {}): Promise<string> {
  return URL.createObjectURL(await (await request(path, options)).blob());
}

/** Save what is behind `path` as a file: a plain link would not bear the key. */
export async function download(path: string, name: string, options: RequestOptions = {}): Promise<void> {
  const url = await imageUrl(path, options);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
