import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { greatest, signed, unsigned } from "../explanation/index.ts";
import { Button, Choice, CopyButton, Field } from "../ui/index.ts";
import type { PanelProps } from "./panel.ts";
import { Bar } from "./ranking.tsx";
import { arranged, asCsv, pairRows, playerRows, type Sorting, type SortKey, type ValueRow } from "./value-rows.ts";

type Kind = "players" | "pairs";
type Column = readonly [key: SortKey, name: string];

const ROWS_AT_ONCE = 100;
const STRONGEST_FIRST: Sorting = { key: "strength", descending: true };
const COLUMNS: Readonly<Record<Kind, readonly Column[]>> = {
  players: [
    ["label", "Player"],
    ["strength", "Strength"],
    ["effect", "Main effect"],
    ["value", "Own value"],
    ["stdError", "Std. error"],
  ],
  pairs: [
    ["label", "Pair"],
    ["strength", "Strength"],
    ["value", "Value"],
    ["stdError", "Std. error"],
  ],
};

/** Every value as a number: of players or of pairs. */
export function ValuesPanel({ model, onHover }: PanelProps): JSX.Element {
  const [kind, setKind] = useState<Kind>("players");
  const [text, setText] = useState("");
  const [sorting, setSorting] = useState(STRONGEST_FIRST);
  const [most, setMost] = useState(ROWS_AT_ONCE);
  const all = useMemo(() => (kind === "pairs" ? pairRows(model) : playerRows(model)), [model, kind]);
  const rows = useMemo(() => arranged(all, text, sorting), [all, text, sorting]);
  const choose = (chosen: Kind) => {
    setKind(chosen);
    setSorting(STRONGEST_FIRST);
    setMost(ROWS_AT_ONCE);
  };
  const options = [
    { value: "players" as const, label: "Players" },
    { value: "pairs" as const, label: "Pairs" },
  ];
  return (
    <>
      <div class="viewer-controls">
        {!model.withoutPairs && <Choice label="Values of" value={kind} options={options} onChange={choose} />}
        <Field label="Filter">
          {(control) => (
            <input
              {...control}
              class="ui-input"
              type="search"
              placeholder="word, r3c5"
              value={text}
              onInput={(event) => setText(event.currentTarget.value)}
            />
          )}
        </Field>
        <CopyButton label="Copy as CSV" text={() => asCsv(rows, kind)} />
      </div>
      <Table kind={kind} rows={rows} most={most} sorting={sorting} onSort={setSorting} onHover={onHover} />
      <p class="viewer-note">
        {Math.min(most, rows.length)} of {rows.length.toLocaleString("en")} {kind}
        {kind === "pairs" && " whose value is not zero"}
      </p>
      {rows.length > most && <Button onClick={() => setMost(most + ROWS_AT_ONCE)}>Show more</Button>}
    </>
  );
}

interface TableProps {
  readonly kind: Kind;
  readonly rows: readonly ValueRow[];
  readonly most: number;
  readonly sorting: Sorting;
  readonly onSort: (sorting: Sorting) => void;
  readonly onHover: PanelProps["onHover"];
}

function Table({ kind, rows, most, sorting, onSort, onHover }: TableProps): JSX.Element {
  const sort = (key: SortKey) =>
    onSort({ key, descending: key === sorting.key ? !sorting.descending : key !== "label" });
  const order = sorting.descending ? "descending" : "ascending";
  return (
    <div class="viewer-table">
      <table>
        <thead>
          <tr>
            {COLUMNS[kind].map(([key, name]) => (
              <th key={key} scope="col" class={className(key)} aria-sort={key === sorting.key ? order : undefined}>
                <button type="button" onClick={() => sort(key)}>
                  {name}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <Rows kind={kind} rows={rows} most={most} onHover={onHover} />
      </table>
    </div>
  );
}

/** Made anew only where the rows are others: pointing at one must not draw them all. */
function Rows({ kind, rows, most, onHover }: Pick<TableProps, "kind" | "rows" | "most" | "onHover">): JSX.Element {
  return useMemo(() => {
    const limit = greatest(rows.map(({ effect }) => effect));
    return (
      <tbody onPointerLeave={() => onHover([])}>
        {rows.slice(0, most).map((row) => (
          <tr
            key={row.players.join(" ")}
            onPointerEnter={(event) => event.pointerType !== "touch" && onHover(row.players)}
          >
            <th scope="row">
              <bdi>{row.label}</bdi>
            </th>
            <td>
              <Bar value={row.effect} stdError={kind === "pairs" ? row.stdError : Number.NaN} limit={limit} />
            </td>
            {kind === "players" && <td class="number">{shown(row.effect)}</td>}
            <td class="number">{shown(row.value)}</td>
            <td class="number">{Number.isNaN(row.stdError) ? "–" : unsigned(row.stdError)}</td>
          </tr>
        ))}
      </tbody>
    );
  }, [kind, rows, most, onHover]);
}

function shown(value: number): string {
  return Number.isNaN(value) ? "–" : signed(value);
}

function className(key: SortKey): string {
  return key === "label" || key === "strength" ? "" : "number";
}
