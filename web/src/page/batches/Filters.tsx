import { useMemo } from "preact/hooks";

import { Button } from "../../ui/index.ts";
import { scoreName } from "./naming.ts";
import type { ItemRow, ScoreColumn } from "./rows.ts";
import type { TableState } from "./table.ts";

interface Props {
  readonly rows: readonly ItemRow[];
  readonly wayOf: (row: ItemRow) => string;
  readonly scores: readonly ScoreColumn[];
  readonly state: TableState;
  readonly onState: (state: TableState) => void;
}

/** Which rows are shown. The order is chosen by the table's head, and here where that is hidden. */
export function Filters({ rows, wayOf, scores, state, onState }: Props) {
  const known = useMemo(
    () => ({
      model: distinct(rows, (row) => row.model),
      way: distinct(rows, wayOf),
      status: distinct(rows, (row) => row.status),
    }),
    [rows, wayOf],
  );
  const change = (changed: Partial<TableState>): void => onState({ ...state, page: 1, ...changed });
  return (
    <div class="filters" role="search" aria-label="Which explanations">
      <label class="ui-field filters-text">
        <span class="ui-label">Search</span>
        <input
          class="ui-input"
          type="search"
          value={state.text}
          placeholder="id, caption or error"
          onInput={(event) => change({ text: event.currentTarget.value })}
        />
      </label>
      <Select label="Model" value={state.model} values={known.model} onValue={(model) => change({ model })} />
      <Select label="Method" value={state.way} values={known.way} onValue={(way) => change({ way })} />
      <Select label="Status" value={state.status} values={known.status} onValue={(status) => change({ status })} />
      <Order scores={scores} state={state} onState={change} />
    </div>
  );
}

interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly values: readonly string[];
  readonly onValue: (value: string) => void;
}

function Select({ label, value, values, onValue }: SelectProps) {
  if (values.length < 2 && value === "") return null;
  const all = value === "" || values.includes(value) ? values : [value, ...values];
  return (
    <label class="ui-field">
      <span class="ui-label">{label}</span>
      <select class="ui-input" value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        <option value="">all</option>
        {all.map((each) => (
          <option key={each} value={each}>
            {each}
          </option>
        ))}
      </select>
    </label>
  );
}

interface OrderProps {
  readonly scores: readonly ScoreColumn[];
  readonly state: TableState;
  readonly onState: (changed: Partial<TableState>) => void;
}

const PLAIN_ORDERS = [
  ["index", "place in the batch"],
  ["item", "id"],
  ["caption", "caption"],
  ["model", "model"],
  ["method", "method"],
  ["status", "status"],
] as const;

function Order({ scores, state, onState }: OrderProps) {
  const keys = [...PLAIN_ORDERS, ...scores.map((score) => [score.key, scoreName(score)] as const)];
  return (
    <fieldset class="filters-order">
      <label class="ui-field">
        <span class="ui-label">Sort by</span>
        <select
          class="ui-input"
          value={state.sort}
          onChange={(event) => onState({ sort: event.currentTarget.value, descending: false })}
        >
          {keys.map(([key, name]) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <Button aria-pressed={state.descending} onClick={() => onState({ descending: !state.descending })}>
        Greatest first
      </Button>
    </fieldset>
  );
}

function distinct(rows: readonly ItemRow[], of: (row: ItemRow) => string): readonly string[] {
  return [...new Set(rows.map(of))].sort();
}
