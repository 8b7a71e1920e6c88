import { useEffect, useState } from "preact/hooks";

import { type ExplanationJob, followJob } from "../api/index.ts";
import { usePending } from "../shell/useLoaded.ts";

interface Followed {
  readonly job: ExplanationJob | null;
  readonly error: Error | null;
  /** What has been learnt of the job elsewhere. */
  readonly know: (job: ExplanationJob) => void;
}

/** A job, as it gets on. */
export function useJob(id: string): Followed {
  const [job, know] = useState<ExplanationJob | null>(null);
  const [error, setError] = useState<Error | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    followJob(id, stop.signal, know).catch((reason) => {
      if (!stop.signal.aborted) setError(reason);
    });
    return () => stop.abort();
  }, [id]);
  usePending(job === null && error === null);
  return { job, error, know };
}
