import { useMemo } from "preact/hooks";

import { queryWithState, stateFromQuery, type ViewerState } from "../../explanation/state.ts";
import { ExplanationViewer } from "../../viewer/index.ts";
import { type ExplanationJob, getReport, pathOf } from "../api/index.ts";
import { Failure } from "../shell/Failure.tsx";
import { useBlobUrl } from "../shell/useBlobUrl.ts";
import { useLoaded } from "../shell/useLoaded.ts";

interface JobResultProps {
  readonly job: ExplanationJob;
  readonly query: URLSearchParams;
  readonly onQuery: (query: URLSearchParams, options: { replace: boolean }) => void;
}

/** What came out. What is looked at is in the address, so that a link shows the same. */
export function JobResult({ job, query, onQuery }: JobResultProps) {
  const { value: report, error, reload } = useLoaded(job.id, (signal) => getReport(job.id, signal));
  const imageUrl = useBlobUrl(pathOf(job.id, "view.png"));
  const state = useMemo(() => stateFromQuery(query), [query]);
  const show = (changed: ViewerState): void => onQuery(queryWithState(changed, query), { replace: true });
  if (error) return <Failure error={error} onRetry={reload} />;
  if (!report || !imageUrl) return <p class="ui-muted">Fetching the explanation …</p>;
  return <ExplanationViewer report={report} imageUrl={imageUrl} state={state} onState={show} />;
}
