import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { type BatchView, followBatch } from "../api/batches.ts";
import { usePending } from "../shell/useLoaded.ts";
import { ItemFeed } from "./feed.ts";
import { type Items, NO_ITEMS } from "./rows.ts";

export interface FollowedBatch {
  readonly batch: BatchView | null;
  readonly error: Error | null;
  /** Follow it anew: it was tried again, or something went wrong. */
  readonly follow: () => void;
}

/** A batch as it gets on. */
export function useBatch(id: string): FollowedBatch {
  const [batch, setBatch] = useState<BatchView | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const [round, setRound] = useState(0);
  usePending(batch === null && error === null);
  useEffect(() => {
    const stop = new AbortController();
    setError(null);
    followBatch(id, stop.signal, setBatch).catch((caught) => {
      if (!stop.signal.aborted) setError(caught);
    });
    return () => stop.abort();
  }, [id, round]);
  return { batch: batch?.id === id ? batch : null, error, follow: useCallback(() => setRound((last) => last + 1), []) };
}

export interface FollowedItems extends Items {
  /** Whether they have been read to the end at least once. */
  readonly isRead: boolean;
  readonly error: Error | null;
  /** Read them again, after an error. */
  readonly retry: () => void;
}

/** The items of a batch that have ended, anew whenever more have. */
export function useItems(batch: BatchView | null): FollowedItems {
  const [items, setItems] = useState<Omit<FollowedItems, "retry">>({ ...NO_ITEMS, isRead: false, error: null });
  const feed = useRef<ItemFeed | null>(null);
  const id = batch?.id ?? null;
  useEffect(() => {
    if (id === null) return;
    const reading = new ItemFeed(id, {
      onItems: (found, isRead) => setItems({ ...found, isRead, error: null }),
      onError: (error) => setItems((last) => ({ ...last, error })),
    });
    feed.current = reading;
    return () => {
      reading.stop();
      setItems({ ...NO_ITEMS, isRead: false, error: null });
    };
  }, [id]);
  const version = batch && versionOf(batch);
  const want = useCallback(() => {
    if (id !== null && version !== null) feed.current?.want(version);
  }, [id, version]);
  useEffect(want, [want]);
  return { ...items, retry: want };
}

/** Changes whenever more items have ended. */
function versionOf({ retries, request_counts: { completed, failed, canceled } }: BatchView): string {
  return `${retries} ${completed + failed + canceled}`;
}
