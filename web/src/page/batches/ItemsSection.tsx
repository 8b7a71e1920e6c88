import { useMemo } from "preact/hooks";

import { type BatchView, isOver } from "../api/batches.ts";
import { Failure } from "../shell/Failure.tsx";
import { count } from "../words.ts";
import { BatchDownloads } from "./BatchActions.tsx";
import { Filters } from "./Filters.tsx";
import { ItemTable } from "./ItemTable.tsx";
import { Pager } from "./Pager.tsx";
import { type ItemRow, variedParams, wayName } from "./rows.ts";
import { chosenRows, pageOf, type TableState } from "./table.ts";
import type { FollowedItems } from "./useBatch.ts";

interface Props {
  readonly batch: BatchView;
  readonly items: FollowedItems;
  readonly state: TableState;
  readonly onState: (state: TableState) => void;
}

/** The explanations of a batch that have ended: searched, sorted, and shown page by page. */
export function ItemsSection({ batch, items, state, onState }: Props) {
  const { rows, scores, isRead, error, retry } = items;
  const wayOf = useMemo(() => namedWays(rows), [rows]);
  const chosen = useMemo(() => chosenRows(rows, state, wayOf), [rows, state, wayOf]);
  const hasModels = useMemo(() => rows.some((row) => row.model !== rows[0]?.model), [rows]);
  const { rows: shown, page, pages } = pageOf(chosen, state.page);
  return (
    <section class="batch-items" aria-labelledby="batch-items">
      <div class="section-head">
        <h2 id="batch-items">Explanations</h2>
        {rows.length > 0 && <BatchDownloads id={batch.id} />}
      </div>
      {error !== null && <Failure error={error} onRetry={retry} />}
      {rows.length > 0 && <Filters rows={rows} wayOf={wayOf} scores={scores} state={state} onState={onState} />}
      <p class="quiet" role="status">
        {told(rows.length, chosen.length, batch, isRead)}
      </p>
      {shown.length > 0 && (
        <>
          <ItemTable {...{ scores, hasModels, wayOf, state, onState }} rows={shown} />
          <Pager page={page} pages={pages} onPage={(next) => onState({ ...state, page: next })} />
        </>
      )}
    </section>
  );
}

/** Names of ways, worked out once for each row. */
function namedWays(rows: readonly ItemRow[]): (row: ItemRow) => string {
  const varied = variedParams(rows);
  const names = new Map(rows.map((row) => [row, wayName(row, varied)]));
  return (row) => names.get(row) ?? row.method;
}

function told(all: number, chosen: number, batch: BatchView, isRead: boolean): string {
  const total = batch.request_counts.total;
  if (!isRead) return all ? `Reading: ${count(all)} of ${count(total)} so far …` : "Reading …";
  if (all === 0) return isOver(batch.status) ? "There is nothing to show." : "None has ended yet.";
  const ended = all < total ? `${count(all)} of ${count(total)} explanations have ended` : `${count(all)} explanations`;
  if (chosen === all) return `${ended}.`;
  return chosen === 0 ? `${ended}; none is as you wish.` : `${ended}; ${count(chosen)} as you wish.`;
}
