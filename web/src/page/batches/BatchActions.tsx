import { useState } from "preact/hooks";

import { Button, Dialog } from "../../ui/index.ts";
import { type BatchView, batchPath, changeBatch, deleteBatch, isOver } from "../api/batches.ts";
import { download } from "../api/index.ts";
import { fragmentOf, navigate } from "../routing.ts";
import { Failure } from "../shell/Failure.tsx";
import { count } from "../words.ts";

interface ActionsProps {
  readonly batch: BatchView;
  /** Called when it runs again, or is on its way to its end. */
  readonly onChanged: () => void;
}

/** What can be done with a batch. */
export function BatchActions({ batch, onChanged }: ActionsProps) {
  const [error, setError] = useState<Error | null>(null);
  const [isAsking, setIsAsking] = useState(false);
  const { completed, total } = batch.request_counts;
  const attempt = (deed: Promise<unknown>, after: () => void): void => {
    setError(null);
    deed.then(after, setError);
  };
  const remove = (): void => {
    setIsAsking(false);
    attempt(deleteBatch(batch.id), () => navigate(fragmentOf("batches")));
  };
  return (
    <>
      {error !== null && <Failure error={error} />}
      {!isOver(batch.status) && (
        <Button
          disabled={batch.cancel_requested_at !== null}
          onClick={() => attempt(changeBatch(batch.id, "cancel"), onChanged)}
        >
          Cancel
        </Button>
      )}
      {isOver(batch.status) && completed < total && (
        <Button onClick={() => attempt(changeBatch(batch.id, "retry"), onChanged)}>Retry what has no result</Button>
      )}
      {isOver(batch.status) && (
        <Button kind="quiet" onClick={() => setIsAsking(true)}>
          Delete
        </Button>
      )}
      <Dialog open={isAsking} title="Delete the batch?" onClose={() => setIsAsking(false)}>
        <p>Its {count(total)} explanations and all their files are deleted with it. This cannot be undone.</p>
        <div class="ui-actions page-dialog-actions">
          <Button kind="danger" onClick={remove}>
            Delete it
          </Button>
        </div>
      </Dialog>
    </>
  );
}

const FILES = [
  { below: "table.csv", name: "CSV", title: "a row for each explanation and score" },
  { below: "table.parquet", name: "Parquet", title: "the same table with types" },
  { below: "results.jsonl", name: "JSON lines", title: "all that is known of each explanation" },
  { below: "summary", name: "Summary", title: "means with intervals, and wins, as JSON" },
] as const;

/** The files of a batch. */
export function BatchDownloads({ id }: { id: string }) {
  const [error, setError] = useState<Error | null>(null);
  const fetchFile = (below: string): void => {
    setError(null);
    download(batchPath(id, below), `batch-${id}-${below === "summary" ? "summary.json" : below}`).catch(setError);
  };
  return (
    <div class="batch-downloads">
      <span class="ui-label">Download</span>
      {FILES.map(({ below, name, title }) => (
        <Button key={below} title={title} aria-label={`Download ${name}: ${title}`} onClick={() => fetchFile(below)}>
          {name}
        </Button>
      ))}
      {error !== null && <Failure error={error} />}
    </div>
  );
}
