import "./job.css";

import type { ExplanationJob, JobMetrics } from "../api/index.ts";
import { isFinal } from "../api/index.ts";
import { fragmentOf } from "../routing.ts";
import { Age } from "../shell/Age.tsx";
import { Failure } from "../shell/Failure.tsx";
import { Heading } from "../shell/Heading.tsx";
import { count, duration } from "../words.ts";
import { JobActions, JobTakeaways } from "./JobActions.tsx";
import { JobProgress } from "./JobProgress.tsx";
import { JobResult } from "./JobResult.tsx";
import { NoResult } from "./NoResult.tsx";
import { StatusBadge } from "./StatusBadge.tsx";
import { useJob } from "./useJob.ts";

interface JobPageProps {
  readonly id: string;
  readonly query: URLSearchParams;
  readonly onQuery: (query: URLSearchParams, options: { replace: boolean }) => void;
}

/** An explanation: as it gets on, and what came out. */
export function JobPage({ id, query, onQuery }: JobPageProps) {
  const { job, error, know } = useJob(id);
  if (!job) return <Missing error={error} />;
  return (
    <>
      <Heading title={job.input.caption}>{job.status === "succeeded" && <JobTakeaways job={job} />}</Heading>
      <JobLine job={job} />
      {error && <Failure error={error} />}
      {!isFinal(job.status) && <JobProgress job={job} onJob={know} />}
      {isFinal(job.status) && job.status !== "succeeded" && <NoResult job={job} />}
      {job.status === "succeeded" && <JobResult job={job} query={query} onQuery={onQuery} />}
      {isFinal(job.status) && <JobActions job={job} />}
    </>
  );
}

function Missing({ error }: { readonly error: Error | null }) {
  return (
    <>
      <Heading title="Explanation" />
      {error && (
        <Failure error={error}>
          <a class="ui-button" href={fragmentOf("explanations")}>
            See your explanations
          </a>
        </Failure>
      )}
    </>
  );
}

function JobLine({ job }: { readonly job: ExplanationJob }) {
  return (
    <p class="job-line">
      <span role="status">
        <StatusBadge status={job.status} />
      </span>
      <span>
        {job.method} on {job.model.id}
      </span>
      <Age at={job.created_at} />
      {job.metrics.forward_passes !== null && !job.cached && <span>{costOf(job.metrics)}</span>}
      {job.cached && <span>answered at once, from an earlier explanation</span>}
      {job.batch_id && (
        <span>
          <bdi>{job.custom_id}</bdi> of a <a href={fragmentOf(`batches/${encodeURIComponent(job.batch_id)}`)}>batch</a>
        </span>
      )}
    </p>
  );
}

function costOf({ forward_passes, evaluation_passes, run_s }: JobMetrics): string {
  const passes = count((forward_passes ?? 0) + (evaluation_passes ?? 0));
  return run_s === null ? `${passes} passes` : `${passes} passes in ${duration(run_s)}`;
}
