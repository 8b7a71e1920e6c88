import { useEffect, useState } from "preact/hooks";

import { type ExplanationJob, followJob } from "../api/index.ts";
import { usePending } from "../shell/useLoaded.ts";

export interface FollowedJob {
  readonly id: string;
  readonly job: ExplanationJob | null;
  readonly error: Error | null;
}

/** Several jobs, as they get on; whoever asks for others is to be another component. */
export function useJobs(ids: readonly string[]): readonly FollowedJob[] {
  const [jobs, setJobs] = useState<readonly FollowedJob[]>(() => ids.map((id) => ({ id, job: null, error: null })));
  useEffect(() => {
    const stop = new AbortController();
    const know = (id: string, known: Partial<FollowedJob>): void =>
      setJobs((last) => last.map((each) => (each.id === id ? { ...each, ...known } : each)));
    for (const id of ids) {
      followJob(id, stop.signal, (job) => know(id, { job })).catch((error) => {
        if (!stop.signal.aborted) know(id, { error });
      });
    }
    return () => stop.abort();
  }, []);
  usePending(jobs.some(({ job, error }) => job === null && error === null));
  return jobs;
}
