import type { ComponentChildren } from "preact";

import { Badge, type BadgeProps, VisuallyHidden } from "../../ui/index.ts";
import { fragmentOfJob } from "../routing.ts";
import { JobThumbnail } from "../thumbnails/JobThumbnail.tsx";
import { itemStatus, plain, scoreText } from "./naming.ts";
import { ReportLink } from "./ReportLink.tsx";
import type { ItemRow, ScoreColumn } from "./rows.ts";
import type { TableState } from "./table.ts";

interface TableProps {
  readonly rows: readonly ItemRow[];
  readonly scores: readonly ScoreColumn[];
  /** Whether the batch has several models. */
  readonly hasModels: boolean;
  readonly wayOf: (row: ItemRow) => string;
  readonly state: TableState;
  readonly onState: (state: TableState) => void;
}

/** A page of the explanations. On phones a row is a card; roles keep it a table to screen readers. */
export function ItemTable({ rows, scores, hasModels, wayOf, state, onState }: TableProps) {
  const sort = (key: string): void =>
    onState({ ...state, page: 1, sort: key, descending: state.sort === key ? !state.descending : false });
  const head = (key: string, children: ComponentChildren, isNumber = false) => (
    <HeadCell id={key} state={state} onSort={sort} isNumber={isNumber}>
      {children}
    </HeadCell>
  );
  return (
    <div class="item-table-frame">
      <table class="item-table" role="table">
        <caption class="ui-hidden">Explanations of the batch; columns sort by their heads</caption>
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col" role="columnheader">
              <VisuallyHidden>Map</VisuallyHidden>
            </th>
            {head("index", "#", true)}
            {head("item", "Id")}
            {head("caption", "Caption")}
            {hasModels && head("model", "Model")}
            {head("method", "Method")}
            {head("status", "Status")}
            {scores.map((score) =>
              head(
                score.key,
                <>
                  <small>{plain(score.metric)}</small> {plain(score.name)}
                  <Better isHigher={score.higherIsBetter} />
                </>,
                true,
              ),
            )}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row) => (
            <Row key={row.jobId} row={row} scores={scores} hasModels={hasModels} way={wayOf(row)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface HeadProps {
  readonly id: string;
  readonly state: TableState;
  readonly onSort: (key: string) => void;
  readonly isNumber: boolean;
  readonly children: ComponentChildren;
}

function HeadCell({ id, state, onSort, isNumber, children }: HeadProps) {
  const isSorted = state.sort === id;
  const order = isSorted ? (state.descending ? "descending" : "ascending") : "none";
  return (
    <th scope="col" role="columnheader" aria-sort={order} class={isNumber ? "number" : undefined}>
      <button type="button" onClick={() => onSort(id)}>
        <span>{children}</span>
        <i aria-hidden="true">{isSorted ? (state.descending ? "▼" : "▲") : ""}</i>
      </button>
    </th>
  );
}

function Better({ isHigher }: { isHigher: boolean }) {
  const text = isHigher ? "higher is better" : "lower is better";
  return (
    <span class="better" title={text}>
      <span aria-hidden="true">{isHigher ? "↑" : "↓"}</span>
      <VisuallyHidden>, {text}</VisuallyHidden>
    </span>
  );
}

const BADGES: Readonly<Record<ItemRow["status"], NonNullable<BadgeProps["kind"]>>> = {
  queued: "plain",
  running: "active",
  succeeded: "good",
  failed: "bad",
  canceled: "warn",
  expired: "warn",
  removed: "plain",
};

interface RowProps {
  readonly row: ItemRow;
  readonly scores: readonly ScoreColumn[];
  readonly hasModels: boolean;
  readonly way: string;
}

function Row({ row, scores, hasModels, way }: RowProps) {
  const isThere = row.status !== "removed";
  const hasResult = row.status === "succeeded";
  return (
    <tr role="row">
      <td role="cell" class="item-map">
        {hasResult ? <JobThumbnail id={row.jobId} size={64} /> : <span class="no-thumbnail" aria-hidden="true" />}
      </td>
      <td role="cell" class="number item-index" data-label="Place">
        {row.index}
      </td>
      <th role="rowheader" scope="row" class="item-id">
        <bdi>{isThere ? <a href={fragmentOfJob(row.jobId)}>{row.customId}</a> : row.customId}</bdi>
        {hasResult && <ReportLink id={row.jobId} name={row.customId} />}
      </th>
      <td role="cell" class="item-caption">
        <bdi>{row.caption}</bdi>
      </td>
      {hasModels && (
        <td role="cell" data-label="Model">
          {row.model}
        </td>
      )}
      <td role="cell" data-label="Method">
        {way}
      </td>
      <td role="cell" class={row.error ? "item-failed" : undefined} data-label="Status">
        <Badge kind={BADGES[row.status]}>{itemStatus(row.status)}</Badge>
        {row.error && (
          <span class="item-error">
            {row.error.detail} <code>{row.error.code}</code>
          </span>
        )}
      </td>
      {scores.map((score) => (
        <td key={score.key} role="cell" class="number" data-label={`${plain(score.metric)}, ${plain(score.name)}`}>
          {scoreText(row.scores[score.key] ?? null)}
        </td>
      ))}
    </tr>
  );
}
