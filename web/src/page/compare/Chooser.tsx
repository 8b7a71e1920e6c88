import { useState } from "preact/hooks";

import { Button, Check } from "../../ui/index.ts";
import { type ExplanationJob, getJob, listJobs } from "../api/index.ts";
import { fragmentOf } from "../routing.ts";
import { Age } from "../shell/Age.tsx";
import { Failure } from "../shell/Failure.tsx";
import { useLoaded } from "../shell/useLoaded.ts";
import { JobThumbnail } from "../thumbnails/JobThumbnail.tsx";
import { marksOf } from "./naming.ts";
import { comparablePairs, type Pair } from "./pairs.ts";
import { MOST_SHOWN } from "./state.ts";

interface ChooserProps {
  /** What is chosen so far: none, or of one pair. */
  readonly ids: readonly string[];
  readonly onIds: (ids: readonly string[]) => void;
}

/** Pages of jobs that are looked through. */
const PAGES = 3;

interface Choices {
  readonly pairs: readonly Pair[];
  readonly chosen: ExplanationJob | null;
}

async function choices(ids: readonly string[], signal: AbortSignal): Promise<Choices> {
  const [first] = ids;
  const chosen = first === undefined ? null : await getJob(first, signal);
  const jobs: ExplanationJob[] = [];
  let token: string | null = null;
  for (let page = 0; page < PAGES; page++) {
    const list = await listJobs({ status: "succeeded", page_size: "100" }, token, signal);
    jobs.push(...list.items);
    token = list.next_page_token;
    if (token === null) break;
  }
  return { pairs: comparablePairs(jobs, chosen), chosen };
}

/** The choice of explanations to compare: several of one picture and caption. */
export function Chooser({ ids, onIds }: ChooserProps) {
  const { value, error, reload } = useLoaded(ids.join(), (signal) => choices(ids, signal));
  if (error) return <Failure error={error} onRetry={reload} />;
  if (!value) return <p class="quiet">Looking for explanations …</p>;
  const { pairs, chosen } = value;
  return (
    <>
      <p>Two to four explanations of the same picture and caption can be laid side by side.</p>
      {pairs.length === 0 && <Nothing />}
      {chosen && pairs[0]?.jobs.length === 1 && <Alone job={chosen} />}
      {pairs.map((pair) => (
        <PairChoice key={pair.key} pair={pair} ids={ids} onIds={onIds} />
      ))}
    </>
  );
}

function Nothing() {
  return (
    <p class="quiet">
      No picture and caption has been explained in two ways yet. <a href={fragmentOf("")}>Explain one</a>, and then
      compare it with another model or method from its page.
    </p>
  );
}

function Alone({ job }: { job: ExplanationJob }) {
  return (
    <p class="quiet">
      This picture and caption has no other explanation among the latest.{" "}
      <a href={fragmentOf("", { from: job.id, compare: "yes" })}>Explain it by another model or method</a>.
    </p>
  );
}

function PairChoice({ pair, ids, onIds }: ChooserProps & { pair: Pair }) {
  const [picked, setPicked] = useState<readonly string[]>(() =>
    pair.jobs.map(({ id }) => id).filter((id) => ids.includes(id)),
  );
  const marks = marksOf(pair.jobs);
  const [first] = pair.jobs;
  const pick = (id: string, isOn: boolean): void =>
    setPicked(isOn ? [...picked, id] : picked.filter((each) => each !== id));
  return (
    <fieldset class="pair-choice">
      <legend>
        “<bdi>{pair.caption}</bdi>”
      </legend>
      {first && <JobThumbnail id={first.id} size={96} />}
      <ul>
        {pair.jobs.map((job, index) => (
          <li key={job.id}>
            <Check
              label={
                <>
                  {job.method} <span class="quiet">on {job.model.id}</span> {marks[index]?.join(" ")}{" "}
                  <span class="quiet">
                    <Age at={job.created_at} />
                  </span>
                </>
              }
              checked={picked.includes(job.id)}
              disabled={!picked.includes(job.id) && picked.length >= MOST_SHOWN}
              onChange={(isOn) => pick(job.id, isOn)}
            />
          </li>
        ))}
      </ul>
      <Button kind="primary" disabled={picked.length < 2} onClick={() => onIds(picked)}>
        Compare{picked.length > 1 ? ` these ${picked.length}` : ""}
      </Button>
    </fieldset>
  );
}
