import { type ExplanationJob, isFinal } from "../api/index.ts";
import { StatusBadge } from "../job/StatusBadge.tsx";
import { fragmentOfJob } from "../routing.ts";
import { Age } from "../shell/Age.tsx";
import { JobThumbnail } from "../thumbnails/JobThumbnail.tsx";
import { count, duration } from "../words.ts";

interface JobRowProps {
  readonly job: ExplanationJob;
  readonly isChosen: boolean;
  readonly canChoose: boolean;
  readonly onChoose: (isChosen: boolean) => void;
}

/** An explanation in a list. */
export function JobRow({ job, isChosen, canChoose, onChoose }: JobRowProps) {
  return (
    <li class="jobs-row">
      <label class="jobs-choose">
        <input
          type="checkbox"
          aria-label={`Compare: ${job.input.caption}`}
          checked={isChosen}
          disabled={job.status !== "succeeded" || !canChoose}
          onChange={(event) => onChoose(event.currentTarget.checked)}
        />
      </label>
      <div class="jobs-thumbnail">{job.status === "succeeded" && <JobThumbnail id={job.id} size={56} />}</div>
      <div class="jobs-text">
        <a href={fragmentOfJob(job.id)}>
          <bdi>{job.input.caption}</bdi>
        </a>
        <p class="jobs-line">
          <StatusBadge status={job.status} />
          <span>
            {job.method} on {job.model.id}
          </span>
          <Age at={job.created_at} />
          <span>{costOf(job)}</span>
        </p>
      </div>
    </li>
  );
}

function costOf({ status, progress, metrics, error, cached }: ExplanationJob): string | null {
  if (!isFinal(status))
    return progress.total ? `${count(progress.completed)} of ${count(progress.total)} passes` : null;
  if (error) return error.code;
  if (cached) return "from an earlier one";
  return metrics.run_s === null ? null : duration(metrics.run_s);
}
