import { useState } from "preact/hooks";

import { Badge, type BadgeProps, Button } from "../../ui/index.ts";
import { type BatchList, type BatchStatus, type BatchView, isOver, listBatches } from "../api/batches.ts";
import { fragmentOf } from "../routing.ts";
import { Age } from "../shell/Age.tsx";
import { Failure } from "../shell/Failure.tsx";
import { Heading } from "../shell/Heading.tsx";
import { useLoaded } from "../shell/useLoaded.ts";
import type { PageProps } from "./BatchPage.tsx";
import { Counts } from "./Counts.tsx";
import { batchName, batchStatus } from "./naming.ts";
import { SubmitBatch } from "./SubmitBatch.tsx";
import { useRefresh } from "./useRefresh.ts";

import "./batches.css";

/** The batches, the newest first, and a form that submits one. */
export function BatchesPage({ query, onQuery }: PageProps) {
  const token = query.get("page");
  const [isWriting, setIsWriting] = useState(false);
  const { value: list, error, reload } = useLoaded(token ?? "", (signal) => listBatches(token, signal));
  useRefresh(list?.items.some((batch) => !isOver(batch.status)) ?? false, reload);
  const turn = (next: string | null): void =>
    onQuery(new URLSearchParams(next === null ? {} : { page: next }), { replace: false });
  return (
    <div class="batches-page">
      <Heading title="Batches">
        <Button aria-expanded={isWriting} onClick={() => setIsWriting(!isWriting)}>
          Submit a batch
        </Button>
      </Heading>
      {isWriting && <SubmitBatch />}
      {error && <Failure error={error} onRetry={reload} />}
      {list && <Batches list={list} />}
      {!list && !error && <p class="quiet">Reading …</p>}
      <div class="ui-actions">
        {token !== null && <Button onClick={() => turn(null)}>Newest</Button>}
        {list?.next_page_token && <Button onClick={() => turn(list.next_page_token)}>Older</Button>}
      </div>
    </div>
  );
}

function Batches({ list }: { list: BatchList }) {
  if (list.items.length === 0) {
    return (
      <p class="quiet">
        There are no batches. A batch explains many pictures at once: from a table of pictures and captions, by as many
        models and methods as you like.
      </p>
    );
  }
  return (
    <ul class="batch-list">
      {list.items.map((batch) => (
        <BatchRow key={batch.id} batch={batch} />
      ))}
    </ul>
  );
}

const BADGES: Readonly<Record<BatchStatus, NonNullable<BadgeProps["kind"]>>> = {
  queued: "plain",
  running: "active",
  succeeded: "good",
  failed: "bad",
  canceled: "warn",
};

function BatchRow({ batch }: { batch: BatchView }) {
  return (
    <li>
      <div class="batch-list-head">
        <a href={fragmentOf(`batches/${batch.id}`)}>{batchName(batch)}</a>
        <Badge kind={BADGES[batch.status]}>{batchStatus(batch)}</Badge>
        <span class="quiet">
          <Age at={batch.created_at} />
        </span>
      </div>
      <Counts counts={batch.request_counts} />
    </li>
  );
}
