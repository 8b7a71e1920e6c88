/** Which rows of a batch's table are seen, and in which order; kept in the page's address. */

import type { ItemRow } from "./rows.ts";

export interface TableState {
  /** A column's key. */
  sort: string;
  descending: boolean;
  /** Words that id, caption or error must have. */
  text: string;
  model: string;
  way: string;
  status: string;
  /** From 1. */
  page: number;
}

export const PAGE_ROWS = 25;

const DEFAULTS: TableState = { sort: "index", descending: false, text: "", model: "", way: "", status: "", page: 1 };

/** The state that an address tells of; what makes no sense is as if it were not there. */
export function tableState(query: URLSearchParams): TableState {
  const sort = query.get("sort") ?? DEFAULTS.sort;
  const page = Number(query.get("page") ?? 1);
  return {
    sort: sort.replace(/^-/, "") || DEFAULTS.sort,
    descending: sort.startsWith("-"),
    text: query.get("text") ?? "",
    model: query.get("model") ?? "",
    way: query.get("method") ?? "",
    status: query.get("status") ?? "",
    page: Number.isInteger(page) && page > 0 ? page : 1,
  };
}

/** What an address tells of the state: only what is not as it is anyway. */
export function tableQuery(state: TableState): URLSearchParams {
  const query = new URLSearchParams();
  if (state.sort !== DEFAULTS.sort || state.descending)
    query.set("sort", `${state.descending ? "-" : ""}${state.sort}`);
  if (state.text) query.set("text", state.text);
  if (state.model) query.set("model", state.model);
  if (state.way) query.set("method", state.way);
  if (state.status) query.set("status", state.status);
  if (state.page > 1) query.set("page", String(state.page));
  return query;
}

type Cell = string | number | null;

/** What a row is sorted by. */
export function cellOf(row: ItemRow, key: string, wayOf: (row: ItemRow) => string): Cell {
  if (key === "index") return row.index;
  if (key === "item") return row.customId;
  if (key === "caption") return row.caption;
  if (key === "model") return row.model;
  if (key === "method") return wayOf(row);
  if (key === "status") return row.status;
  return row.scores[key] ?? null;
}

const COLLATOR = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function compared(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number" ? a - b : COLLATOR.compare(String(a), String(b));
}

/** The rows that the filters let through, sorted; those without a value are last, whichever way. */
export function chosenRows(
  rows: readonly ItemRow[],
  state: TableState,
  wayOf: (row: ItemRow) => string,
): readonly ItemRow[] {
  const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
  const chosen = rows.filter((row) => {
    if (state.model && row.model !== state.model) return false;
    if (state.way && wayOf(row) !== state.way) return false;
    if (state.status && row.status !== state.status) return false;
    if (words.length === 0) return true;
    const text = `${row.customId}\n${row.caption}\n${row.error?.code ?? ""}\n${row.jobId}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  const direction = state.descending ? -1 : 1;
  const keyed = chosen.map((row) => ({ row, cell: cellOf(row, state.sort, wayOf) }));
  keyed.sort((a, b) => {
    if (a.cell === null || b.cell === null) return Number(a.cell === null) - Number(b.cell === null);
    return direction * compared(a.cell, b.cell) || a.row.index - b.row.index;
  });
  return keyed.map(({ row }) => row);
}

/** A page of rows; of pages that are not there, the last. */
export function pageOf(
  rows: readonly ItemRow[],
  page: number,
): { rows: readonly ItemRow[]; page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(rows.length / PAGE_ROWS));
  const shown = Math.min(page, pages);
  return { rows: rows.slice((shown - 1) * PAGE_ROWS, shown * PAGE_ROWS), page: shown, pages };
}
