import type { JSX } from "preact";
import { colour, withError } from "../explanation/index.ts";
import { isPointedAt, type PanelProps } from "./panel.ts";

export interface Ranked {
  /** One player, or two that make a pair. */
  readonly players: readonly number[];
  readonly label: string;
  readonly value: number;
  readonly stdError: number;
}

interface RankingProps extends Pick<PanelProps, "marked" | "arePair"> {
  readonly items: readonly Ranked[];
  /** End of the bars' scale. */
  readonly limit: number;
  readonly label: string;
  readonly onHover: (players: readonly number[]) => void;
  readonly onPick?: (players: readonly number[]) => void;
}

/** Players or pairs with their values as bars from a middle line, negative to the left. */
export function Ranking({ items, limit, label, marked, arePair, onHover, onPick }: RankingProps): JSX.Element {
  return (
    <ol class="ranking" aria-label={label} onPointerLeave={() => onHover([])}>
      {items.map((item) => {
        const isMarked = isPointedAt(item.players, { marked, arePair });
        return (
          <li key={item.players.join(" ")}>
            <button
              type="button"
              class={isMarked ? "ranked is-marked" : "ranked"}
              onPointerEnter={(event) => event.pointerType !== "touch" && onHover(item.players)}
              onFocus={(event) => event.currentTarget.matches(":focus-visible") && onHover(item.players)}
              onBlur={() => onHover([])}
              onClick={() => onPick?.(item.players)}
            >
              <bdi class="ranked-label">{item.label}</bdi>
              <Bar value={item.value} stdError={item.stdError} limit={limit} />
              <Figures value={item.value} stdError={item.stdError} />
            </button>
          </li>
        );
      })}
    </ol>
  );
}

/** The value and its standard error, so that they stand in line at the ± in between. */
function Figures({ value, stdError }: { value: number; stdError: number }): JSX.Element {
  const [shown, error] = withError(value, stdError).split(" ± ");
  return (
    <>
      <span class="number">{shown}</span>
      <span class="ranked-error">{error !== undefined && ` ± ${error}`}</span>
    </>
  );
}

/** A bar from the middle, with a whisker of one standard error to either side. */
export function Bar({ value, stdError, limit }: { value: number; stdError: number; limit: number }): JSX.Element {
  const place = (at: number) => 50 + 50 * (limit > 0 ? Math.min(Math.max(at / limit, -1), 1) : 0);
  const span = (from: number, to: number) => {
    const [left, right] = [Math.min(place(from), place(to)), Math.max(place(from), place(to))];
    return { left: `${left}%`, width: `${right - left}%` };
  };
  return (
    <span class="bar" aria-hidden="true">
      <span class="bar-fill" style={{ ...span(0, value), backgroundColor: colour(Math.sign(value), 1) }} />
      {stdError > 0 && <span class="bar-whisker" style={span(value - stdError, value + stdError)} />}
    </span>
  );
}
