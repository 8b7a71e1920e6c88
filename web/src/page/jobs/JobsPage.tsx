import "./jobs.css";

import { type Signal, useSignal } from "@preact/signals";

import { Button, Problem } from "../../ui/index.ts";
import { type Catalogue, type ExplanationJob, getCatalogue, type JobFilter, type JobStatus } from "../api/index.ts";
import { fragmentOf } from "../routing.ts";
import { Failure } from "../shell/Failure.tsx";
import { Heading } from "../shell/Heading.tsx";
import { useLoaded } from "../shell/useLoaded.ts";
import { statusWord } from "../words.ts";
import { JobRow } from "./JobRow.tsx";
import { useJobs } from "./useJobs.ts";

const STATUSES: readonly JobStatus[] = ["queued", "running", "succeeded", "failed", "canceled", "expired"];
const MOST_COMPARED = 4;

interface JobsPageProps {
  readonly query: URLSearchParams;
  readonly onQuery: (query: URLSearchParams, options: { replace: boolean }) => void;
}

/** The reader's explanations, the newest first. */
export function JobsPage({ query, onQuery }: JobsPageProps) {
  const filter: JobFilter = {
    status: query.get("status") ?? undefined,
    model: query.get("model") ?? undefined,
    method: query.get("method") ?? undefined,
  };
  const isFiltered = Object.values(filter).some(Boolean);
  const { jobs, error, hasMore, isLoading, more, reload } = useJobs(filter);
  const chosen = useSignal<readonly ExplanationJob[]>([]);
  return (
    <>
      <Heading title="Explanations">
        <CompareLink ids={chosen.value.map(({ id }) => id)} />
      </Heading>
      <Filters query={query} onQuery={onQuery} />
      {error && <Failure error={error} onRetry={reload} />}
      {jobs?.length === 0 && !hasMore && <Nothing isFiltered={isFiltered} />}
      {jobs && jobs.length > 0 && <JobList jobs={jobs} chosen={chosen} />}
      {hasMore && (
        <Button disabled={isLoading} onClick={more}>
          {isLoading ? "Fetching …" : "Show older ones"}
        </Button>
      )}
    </>
  );
}

interface JobListProps {
  readonly jobs: readonly ExplanationJob[];
  readonly chosen: Signal<readonly ExplanationJob[]>;
}

function JobList({ jobs, chosen }: JobListProps) {
  const choose = (job: ExplanationJob, isChosen: boolean): void => {
    const others = chosen.value.filter(({ id }) => id !== job.id);
    chosen.value = isChosen ? [...others, job] : others;
  };
  const isChosen = (job: ExplanationJob): boolean => chosen.value.some(({ id }) => id === job.id);
  // Other filters may hide the first of them.
  const [first] = chosen.value;
  const canChoose = (job: ExplanationJob): boolean =>
    isChosen(job) || (chosen.value.length < MOST_COMPARED && (!first || areOfOnePair(job, first)));
  return (
    <ul class="jobs-list" aria-label="Explanations">
      {jobs.map((job) => (
        <JobRow
          key={job.id}
          job={job}
          isChosen={isChosen(job)}
          canChoose={canChoose(job)}
          onChoose={(chosenNow) => choose(job, chosenNow)}
        />
      ))}
    </ul>
  );
}

function areOfOnePair({ input: one }: ExplanationJob, { input: other }: ExplanationJob): boolean {
  return one.caption === other.caption && one.image_sha256 === other.image_sha256;
}

function CompareLink({ ids }: { readonly ids: readonly string[] }) {
  if (ids.length < 2)
    return (
      <p class="ui-muted">{ids.length ? "Tick others of the same pair." : "Tick two of one pair to compare them."}</p>
    );
  return (
    <a class="ui-button ui-button-primary" href={fragmentOf("compare", { explanations: ids.join(",") })}>
      Compare {ids.length}
    </a>
  );
}

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  if (isFiltered) return <Problem title="None is like this" level="note" detail="Try other filters." />;
  return (
    <Problem title="No explanations yet" level="note" detail="What you ask for is listed here, until it expires.">
      <a class="ui-button ui-button-primary" href={fragmentOf("")}>
        Explain a picture
      </a>
    </Problem>
  );
}

function Filters({ query, onQuery }: JobsPageProps) {
  const { value } = useLoaded("", getCatalogue);
  const set = (name: string, text: string): void => {
    const changed = new URLSearchParams(query);
    if (text) changed.set(name, text);
    else changed.delete(name);
    onQuery(changed, { replace: true });
  };
  return (
    <div class="jobs-filters">
      {filters(value).map(({ name, label, options }) => (
        <label key={name}>
          <span class="ui-label">{label}</span>
          <select
            class="ui-input"
            value={query.get(name) ?? ""}
            onChange={(event) => set(name, event.currentTarget.value)}
          >
            <option value="">all</option>
            {options.map(([text, word]) => (
              <option key={text} value={text}>
                {word}
              </option>
            ))}
          </select>
        </label>
      ))}
    </div>
  );
}

function filters(catalogue: Catalogue | null): readonly {
  readonly name: string;
  readonly label: string;
  readonly options: readonly (readonly [text: string, word: string])[];
}[] {
  return [
    { name: "status", label: "Status", options: STATUSES.map((status) => [status, statusWord(status)]) },
    { name: "model", label: "Model", options: catalogue?.models.map(({ id }) => [id, id]) ?? [] },
    { name: "method", label: "Method", options: catalogue?.methods.map(({ name }) => [name, name]) ?? [] },
  ];
}
