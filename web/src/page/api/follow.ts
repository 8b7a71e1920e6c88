/** What happens to a job or a batch, as it happens, whatever happens to the connection meanwhile. */

import { getJson, isPassing, pause, request, sleep } from "./connection.ts";
import { ApiProblem, ConnectionLost } from "./problems.ts";
import { EventReader, type ServerEvent } from "./sse.ts";

const QUIET_S = 45; // the service sends a comment every 15 s
const WAIT_S = 20;
const POLL_S = 2;

/** What a stream is followed with. */
export interface FollowOptions {
  readonly signal: AbortSignal;
  /** Called for every event; the stream is left once it answers true. */
  readonly onEvent: (event: ServerEvent) => boolean;
}

/**
 * Read the events at `path` until `onEvent` has seen enough, or until there are no more.
 *
 * A stream that breaks is taken up again after its last event, as soon as the service can give it.
 *
 * @throws ApiProblem the service refuses; also where too many streams are open (503).
 */
export async function follow(path: string, { signal, onEvent }: FollowOptions): Promise<void> {
  const reader = new EventReader();
  for (let tries = 0; ; tries += 1) {
    try {
      const headers: Record<string, string> = { Accept: "text/event-stream" };
      if (reader.lastId) headers["Last-Event-ID"] = reader.lastId;
      const response = await request(path, { headers, signal, isPatient: false });
      if (response.status === 204) return;
      if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) throw notAStream();
      reader.restart();
      for await (const event of eventsOf(response, reader, signal)) {
        tries = 0;
        if (onEvent(event)) return;
      }
      await sleep((reader.retryMs ?? 1000) / 1000, signal);
    } catch (error) {
      if (!isPassing(error) || isStreamRefused(error)) throw error;
      await pause(tries, error, signal);
    }
  }
}

function notAStream(): ApiProblem {
  return new ApiProblem(
    { code: "no_stream", detail: "something between here and the service keeps its events" },
    502,
    null,
  );
}

async function* eventsOf(response: Response, reader: EventReader, signal: AbortSignal): AsyncGenerator<ServerEvent> {
  const source = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!source) return;
  try {
    for (;;) {
      const piece = await inTime(source.read(), signal);
      if (piece.done) return;
      yield* reader.read(piece.value);
    }
  } finally {
    source.cancel().catch(() => undefined);
  }
}

/** What comes within the time in which a living stream says something, as long as there is a network. */
async function inTime<T>(coming: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => undefined;
  const loss = new Promise<never>((_, reject) => {
    const lose = (): void => reject(new ConnectionLost());
    const timer = setTimeout(lose, 1000 * QUIET_S);
    addEventListener("offline", lose);
    stop = () => {
      clearTimeout(timer);
      removeEventListener("offline", lose);
    };
  });
  try {
    return await Promise.race([coming, loss]);
  } catch {
    if (signal.aborted) throw signal.reason;
    throw new ConnectionLost();
  } finally {
    stop();
  }
}

/** Something that is read again and again until it has ended. */
export interface PollOptions<T> {
  readonly signal: AbortSignal;
  readonly onState: (state: T) => void;
  readonly isOver: (state: T) => boolean;
}

/** Read the JSON at `path` until it is over, each time with the wish that the answer wait for that. */
export async function poll<T>(path: string, { signal, onState, isOver }: PollOptions<T>): Promise<void> {
  for (;;) {
    const state = await getJson<T>(path, { signal, headers: { Prefer: `wait=${WAIT_S}` } });
    onState(state);
    if (isOver(state)) return;
    await sleep(POLL_S, signal);
  }
}

/** Whether a stream was refused for reasons that polling does not share. */
export function isStreamRefused(error: unknown): boolean {
  return error instanceof ApiProblem && (error.code === "no_stream" || error.code === "too_many_streams");
}
