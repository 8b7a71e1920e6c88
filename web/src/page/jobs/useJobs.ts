import { useCallback, useEffect, useRef, useState } from "preact/hooks";

import { type ExplanationJob, getJob, isFinal, type JobFilter, listJobs, sleep } from "../api/index.ts";
import { usePending } from "../shell/useLoaded.ts";

const AGAIN_S = 3;
const MOST_REFRESHED = 10;

interface State {
  readonly key: string;
  readonly jobs: readonly ExplanationJob[] | null;
  readonly next: string | null;
  readonly error: Error | null;
  readonly isLoading: boolean;
}

interface Jobs {
  readonly jobs: readonly ExplanationJob[] | null;
  readonly error: Error | null;
  readonly hasMore: boolean;
  readonly isLoading: boolean;
  readonly more: () => void;
  readonly reload: () => void;
}

/** Jobs page by page, the newest first; those that have not ended are read again every few seconds. */
export function useJobs(filter: JobFilter): Jobs {
  const key = JSON.stringify(filter);
  const [state, setState] = useState<State>(() => begun(key));
  const running = useRef<AbortController | null>(null);
  const fetchPage = useCallback((of: string, before: readonly ExplanationJob[], token: string | null) => {
    running.current?.abort();
    const stop = new AbortController();
    running.current = stop;
    setState((now) => ({ ...now, isLoading: true, error: null }));
    pageOf(JSON.parse(of), token, stop.signal).then(
      ({ jobs, next }) => {
        if (!stop.signal.aborted) setState({ ...begun(of), jobs: [...before, ...jobs], next, isLoading: false });
      },
      (error) => {
        if (!stop.signal.aborted) setState((now) => ({ ...now, key: of, error, isLoading: false }));
      },
    );
    return () => stop.abort();
  }, []);
  useEffect(() => fetchPage(key, [], null), [key, fetchPage]);
  const know = useCallback((fresh: readonly ExplanationJob[]) => {
    const byId = new Map(fresh.map((job) => [job.id, job]));
    setState((now) => ({ ...now, jobs: now.jobs?.map((job) => byId.get(job.id) ?? job) ?? null }));
  }, []);
  const { jobs, next, error, isLoading } = state.key === key ? state : begun(key);
  useUnfinished(jobs, know);
  usePending(jobs === null && error === null);
  return {
    jobs,
    error,
    hasMore: next !== null,
    isLoading,
    more: () => fetchPage(key, jobs ?? [], next),
    reload: () => fetchPage(key, jobs ?? [], next),
  };
}

function begun(key: string): State {
  return { key, jobs: null, next: null, error: null, isLoading: true };
}

/** A page; one that is empty because of its filters is followed by the next. */
async function pageOf(
  filter: JobFilter,
  token: string | null,
  signal: AbortSignal,
): Promise<{ readonly jobs: readonly ExplanationJob[]; readonly next: string | null }> {
  for (let next = token; ; ) {
    const page = await listJobs(filter, next, signal);
    next = page.next_page_token;
    if (page.items.length || next === null) return { jobs: page.items, next };
  }
}

/** Read the jobs that have not ended again and again. */
function useUnfinished(
  jobs: readonly ExplanationJob[] | null,
  onJobs: (fresh: readonly ExplanationJob[]) => void,
): void {
  const ids = (jobs ?? []).filter(({ status }) => !isFinal(status)).map(({ id }) => id);
  const key = ids.slice(-MOST_REFRESHED).join(" "); // the oldest, which end first
  useEffect(() => {
    if (!key) return;
    const stop = new AbortController();
    const read = async (): Promise<void> => {
      for (;;) {
        await sleep(AGAIN_S, stop.signal);
        const fresh = await Promise.all(key.split(" ").map((id) => getJob(id, stop.signal).catch(() => null)));
        stop.signal.throwIfAborted();
        onJobs(fresh.filter((job) => job !== null));
      }
    };
    read().catch(() => undefined); // it ends with the view
    return () => stop.abort();
  }, [key, onJobs]);
}
