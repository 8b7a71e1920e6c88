import { Button } from "../../ui/index.ts";
import type { ExplanationJob } from "../api/index.ts";
import { fragmentOfJob } from "../routing.ts";

interface SubjectHeadProps {
  readonly job: ExplanationJob;
  /** Parameters that set it apart. */
  readonly marks?: readonly string[];
  readonly onRemove?: (() => void) | undefined;
}

/** Which explanation a column is of. */
export function SubjectHead({ job, marks = [], onRemove }: SubjectHeadProps) {
  return (
    <header class="subject-head">
      <h2>
        <a href={fragmentOfJob(job.id)}>{job.method}</a>
      </h2>
      <span class="quiet">
        on {job.model.id}
        {marks.map((mark) => (
          <span key={mark} class="mark">
            {" · "}
            {mark}
          </span>
        ))}
      </span>
      {onRemove && (
        <Button kind="quiet" aria-label={`Leave out ${job.method} on ${job.model.id}`} onClick={onRemove}>
          Leave out
        </Button>
      )}
    </header>
  );
}
