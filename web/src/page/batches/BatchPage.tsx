import { useMemo } from "preact/hooks";

import { Facts } from "../../ui/index.ts";
import { type BatchView, isOver } from "../api/batches.ts";
import { Age } from "../shell/Age.tsx";
import { Failure } from "../shell/Failure.tsx";
import { Heading } from "../shell/Heading.tsx";
import { BatchActions } from "./BatchActions.tsx";
import { Counts } from "./Counts.tsx";
import { ItemsSection } from "./ItemsSection.tsx";
import { batchName, batchStatus, NAME_NOTE } from "./naming.ts";
import { SummarySection } from "./SummarySection.tsx";
import { tableQuery, tableState } from "./table.ts";
import { useBatch, useItems } from "./useBatch.ts";

import "./batches.css";
import "./items.css";
import "./summary.css";

export interface PageProps {
  /** What follows `?` in the fragment. */
  readonly query: URLSearchParams;
  readonly onQuery: (query: URLSearchParams, options: { replace: boolean }) => void;
}

/** A batch: how it stands, what it has found in brief, and each of its explanations. */
export function BatchPage({ id, query, onQuery }: PageProps & { readonly id: string }) {
  const { batch, error, follow } = useBatch(id);
  const items = useItems(batch);
  const state = useMemo(() => tableState(query), [query]);
  if (!batch) {
    return (
      <div class="batch-page">
        <Heading title="Batch" />
        {error ? <Failure error={error} onRetry={follow} /> : <p class="quiet">Reading the batch …</p>}
      </div>
    );
  }
  return (
    <div class="batch-page">
      <Heading title={batchName(batch)}>
        <BatchActions batch={batch} onChanged={follow} />
      </Heading>
      <BatchState batch={batch} />
      {error !== null && <Failure error={error} onRetry={follow} />}
      <SummarySection batch={batch} ended={items.rows.length} />
      <ItemsSection
        batch={batch}
        items={items}
        state={state}
        onState={(changed) => onQuery(tableQuery(changed), { replace: true })}
      />
    </div>
  );
}

function BatchState({ batch }: { batch: BatchView }) {
  const notes = Object.entries(batch.metadata).filter(([name]) => name !== NAME_NOTE);
  return (
    <section class="batch-state" aria-label="How it stands">
      <p>
        <strong role="status">{batchStatus(batch)}</strong>
        <span class="quiet">
          {" · "}submitted <Age at={batch.created_at} />
          {batch.completed_at !== null && isOver(batch.status) && (
            <>
              {" · "}ended <Age at={batch.completed_at} />
            </>
          )}
          {batch.retries > 0 && ` · tried again ${batch.retries === 1 ? "once" : `${batch.retries} times`}`}
        </span>
      </p>
      <Counts counts={batch.request_counts} />
      {batch.error && (
        <p class="batch-error">
          The batch could not go on: {batch.error.detail} <code>{batch.error.code}</code>
        </p>
      )}
      {notes.length > 0 && <Facts items={notes} />}
    </section>
  );
}
