import { Button } from "../../ui/index.ts";
import { type ExplanationJob, isFinal } from "../api/index.ts";
import { JobProgress } from "../job/JobProgress.tsx";
import { NoResult } from "../job/NoResult.tsx";
import { Failure } from "../shell/Failure.tsx";
import { Compared } from "./Compared.tsx";
import { SubjectHead } from "./SubjectHead.tsx";
import type { CompareState } from "./state.ts";
import { useJobs } from "./useJobs.ts";

interface ComparingProps {
  readonly state: CompareState;
  readonly onState: (changed: Partial<CompareState>) => void;
}

/** Waits for the explanations that are compared, and then shows them. */
export function Comparing({ state, onState }: ComparingProps) {
  const followed = useJobs(state.ids);
  const done = followed.flatMap(({ job }) => (job?.status === "succeeded" ? [job] : []));
  if (done.length === followed.length) return <Compared jobs={done} state={state} onState={onState} />;
  const without = (id: string) => () => onState({ ids: state.ids.filter((each) => each !== id), of: 0 });
  return (
    <>
      <p role="status" class="quiet">
        {done.length} of {followed.length} explanations are there.
      </p>
      <ol class="compare-columns">
        {followed.map(({ id, job, error }) => (
          <li key={id}>
            {job && <SubjectHead job={job} onRemove={without(id)} />}
            {job && <Standing job={job} />}
            {error && (
              <Failure error={error}>
                <Button onClick={without(id)}>Leave it out</Button>
              </Failure>
            )}
          </li>
        ))}
      </ol>
    </>
  );
}

function Standing({ job }: { job: ExplanationJob }) {
  if (job.status === "succeeded") return <p class="quiet">It is there.</p>;
  return isFinal(job.status) ? <NoResult job={job} /> : <JobProgress job={job} onJob={() => undefined} />;
}
