import { signal } from "@preact/signals";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";

/** What is read, once it is there; or why it cannot be. */
export interface Loaded<T> {
  readonly value: T | null;
  readonly error: Error | null;
  readonly reload: () => void;
}

interface State<T> {
  readonly key: string;
  readonly value: T | null;
  readonly error: Error | null;
}

/** How many views wait for what they are to show first. */
export const pending = signal(0);

/**
 * Read something when the view appears, and again when `key` changes.
 *
 * What is shown stays until its successor is there, if that has the same key. Requests of a view that is gone are aborted.
 */
export function useLoaded<T>(key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [state, setState] = useState<State<T>>({ key, value: null, error: null });
  const latest = useRef(load);
  latest.current = load;
  const running = useRef<AbortController | null>(null);
  const start = useCallback((of: string) => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    const settle = (value: T | null, error: Error | null): void => {
      if (!controller.signal.aborted) setState({ key: of, value, error });
    };
    latest.current(controller.signal).then(
      (value) => settle(value, null),
      (error) => settle(null, error),
    );
    return () => controller.abort();
  }, []);
  useEffect(() => start(key), [key, start]);
  const { value, error } = state.key === key ? state : { value: null, error: null };
  usePending(value === null && error === null);
  return { value, error, reload: useCallback(() => start(key), [key, start]) };
}

/** Tell the page that this view has nothing to show yet. */
export function usePending(isPending: boolean): void {
  useEffect(() => {
    if (!isPending) return;
    pending.value += 1;
    return () => {
      pending.value -= 1;
    };
  }, [isPending]);
}
