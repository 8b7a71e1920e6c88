import { useSignal } from "@preact/signals";

import { Button, Progress, VisuallyHidden } from "../../ui/index.ts";
import { ApiProblem, cancelJob, type ExplanationJob } from "../api/index.ts";
import { draft } from "../new/draft.ts";
import { Failure } from "../shell/Failure.tsx";
import { useNow } from "../shell/useNow.ts";
import { count, duration } from "../words.ts";

interface JobProgressProps {
  readonly job: ExplanationJob;
  readonly onJob: (job: ExplanationJob) => void;
}

/** How far a job is, and the way to stop it. */
export function JobProgress({ job, onJob }: JobProgressProps) {
  const error = useSignal<Error | null>(null);
  const isAsked = useSignal(false);
  const cancel = async (): Promise<void> => {
    isAsked.value = true;
    error.value = null;
    try {
      onJob(await cancelJob(job.id));
    } catch (reason) {
      // The job has ended by itself meanwhile: its events say so.
      if (!(reason instanceof ApiProblem && reason.code === "job_final")) error.value = reason as Error;
      isAsked.value = false;
    }
  };
  const { completed, total } = job.progress;
  const isStopping = isAsked.value || job.cancel_requested_at !== null;
  return (
    <section class="job-progress" aria-label="Progress">
      <OwnPicture job={job} />
      <Progress
        label={stateOf(job, isStopping)}
        value={total > 0 ? completed : null}
        max={total || 1}
        detail={passesOf(job)}
      />
      <VisuallyHidden>
        <span role="status">{stateOf(job, isStopping)}</span>
      </VisuallyHidden>
      <Times job={job} />
      {error.value && <Failure error={error.value} />}
      <div class="ui-actions">
        <Button kind="danger" disabled={isStopping} onClick={cancel}>
          {isStopping ? "Canceling …" : "Cancel"}
        </Button>
        <p class="ui-muted">You may leave this page; the explanation goes on, and stays at this address.</p>
      </div>
    </section>
  );
}

function stateOf({ status, attempt }: ExplanationJob, isStopping: boolean): string {
  if (isStopping) return "Being canceled";
  if (status === "queued") return attempt ? "Waiting to be begun again" : "Waiting for a worker";
  return attempt > 1 ? `Running, attempt ${attempt}` : "Running";
}

function passesOf({ progress: { completed, total } }: ExplanationJob): string {
  return total ? `${count(completed)} of ${count(total)} passes` : "";
}

/** When it begins and how long it takes, as far as anybody knows. */
function Times({ job }: { readonly job: ExplanationJob }) {
  const now = useNow(1);
  const startsInS = job.estimated_start ? (Date.parse(job.estimated_start) - now) / 1000 : null;
  const ranS = job.started_at && job.status === "running" ? (now - Date.parse(job.started_at)) / 1000 : null;
  const takesS = job.estimated_duration_s;
  const parts = [
    startsInS !== null &&
      job.status === "queued" &&
      (startsInS > 1 ? `begins in about ${duration(startsInS)}` : "about to begin"),
    ranS !== null && `for ${duration(Math.max(0, ranS))}`,
    takesS !== null && `takes about ${duration(takesS)}`,
  ];
  const text = parts.filter(Boolean).join(", ");
  return text ? <p class="ui-muted">{text.charAt(0).toUpperCase() + text.slice(1)}.</p> : null;
}

/** The picture, where it is this page that has just sent it. */
function OwnPicture({ job }: { readonly job: ExplanationJob }) {
  const { picture } = draft.value;
  if (!picture?.url?.startsWith("blob:") || picture.upload?.id !== job.metadata.image_id) return null;
  return <img src={picture.url} alt="What is being explained" />;
}
