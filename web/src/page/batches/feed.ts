/** The items of a batch, read anew as the batch gets on: not more often than it is worth. */

import { streamResults } from "../api/batches.ts";
import { ItemReader, type Items } from "./rows.ts";

const SHOWN_EVERY_MS = 500;
const LEAST_PAUSE_MS = 2_000;
/** Pause between two readings, in times of what a reading took. */
const PAUSE_FACTOR = 5;

export interface FeedListener {
  /** Called with what was read so far, and whether that is all. */
  readonly onItems: (items: Items, isAll: boolean) => void;
  readonly onError: (error: Error) => void;
}

/** Reads the items whenever they are said to have changed. */
export class ItemFeed {
  readonly #id: string;
  readonly #listener: FeedListener;
  readonly #stop = new AbortController();
  #wanted: string | null = null;
  #isReading = false;
  #isFirst = true;

  constructor(id: string, listener: FeedListener) {
    this.#id = id;
    this.#listener = listener;
  }

  /** See to it that the items are as of `version`, soon. */
  want(version: string): void {
    if (version === this.#wanted) return;
    this.#wanted = version;
    if (!this.#isReading) void this.#readOn();
  }

  stop(): void {
    this.#stop.abort();
  }

  async #readOn(): Promise<void> {
    this.#isReading = true;
    try {
      for (let read: string | null = null; read !== this.#wanted; ) {
        read = this.#wanted;
        const begun = performance.now();
        await this.#read();
        const pauseMs = Math.max(LEAST_PAUSE_MS, PAUSE_FACTOR * (performance.now() - begun));
        await slept(pauseMs, this.#stop.signal);
      }
    } catch (error) {
      this.#wanted = null;
      if (!this.#stop.signal.aborted) this.#listener.onError(error as Error);
    } finally {
      this.#isReading = false;
    }
  }

  /** The first time rows are shown as they come; later, what is there stays until all are there anew. */
  async #read(): Promise<void> {
    const reader = new ItemReader();
    let shown = performance.now();
    for await (const piece of streamResults(this.#id, this.#stop.signal)) {
      reader.push(piece);
      if (this.#isFirst && performance.now() - shown > SHOWN_EVERY_MS) {
        this.#listener.onItems(reader.items(), false);
        shown = performance.now();
      }
    }
    this.#isFirst = false;
    this.#listener.onItems(reader.items(), true);
  }
}

function slept(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
