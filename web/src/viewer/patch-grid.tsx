import type { JSX, TargetedEvent, TargetedKeyboardEvent, TargetedPointerEvent } from "preact";
import { useMemo, useRef } from "preact/hooks";
import type { ViewerModel } from "./model.ts";
import { shortName } from "./speech.ts";

/** What a hand does with players, whatever it does it with. */
export interface Touch {
  /** A player is pointed at or focused; null: none is any more. */
  readonly onHover: (player: number | null) => void;
  readonly onPin: (player: number) => void;
  readonly onUnpin: () => void;
}

/**
 * The patches as a grid of cells over the picture, invisible but for the focus.
 *
 * The cells are made once for a picture: what pointing changes is drawn on canvases, never here.
 */
export function PatchGrid({ model, touch }: { model: ViewerModel; touch: Touch }): JSX.Element {
  const latest = useRef(touch);
  latest.current = touch;
  return useMemo(() => <Cells model={model} latest={latest} />, [model]);
}

function Cells({ model, latest }: { model: ViewerModel; latest: { current: Touch } }): JSX.Element {
  const { explanation } = model;
  const [rows, columns] = explanation.grid;
  const hovered = useRef<number | null>(null);
  const playerAt = (cell: Element | null): number | null => {
    const patch = cell instanceof HTMLElement ? cell.dataset.patch : undefined;
    return patch === undefined ? null : explanation.playerOfPatch(Number(patch));
  };
  const hover = (player: number | null) => {
    if (player === hovered.current) return;
    hovered.current = player;
    latest.current.onHover(player);
  };
  const point = (event: TargetedPointerEvent<HTMLDivElement>) => {
    // A finger that moves scrolls; what it taps is clicked.
    if (event.pointerType === "touch") return;
    hover(playerAt(event.target as Element));
  };
  const focus = (event: TargetedEvent<HTMLDivElement>) => {
    const cell = event.target as HTMLElement;
    const player = playerAt(cell);
    if (player === null || !cell.matches(":focus-visible")) return;
    hover(player);
  };
  const click = (event: TargetedEvent<HTMLDivElement>) => {
    const player = playerAt(event.target as Element);
    if (player !== null) latest.current.onPin(player);
  };
  const press = (event: TargetedKeyboardEvent<HTMLDivElement>) => {
    const cell = event.target as HTMLElement;
    const patch = Number(cell.dataset.patch ?? 0);
    if (event.key === "Enter" || event.key === " ") click(event);
    else if (event.key === "Escape") latest.current.onUnpin();
    else if (!moveTo(event.currentTarget, cell, target(event, patch, rows, columns))) return;
    event.preventDefault();
  };
  return (
    <div
      class="patch-grid"
      role="grid"
      aria-label="Patches of the picture. Arrow keys move, Enter pins, Escape unpins."
      style={{ gridTemplate: `repeat(${rows}, 1fr) / repeat(${columns}, 1fr)` }}
      onPointerMove={point}
      onPointerLeave={() => hover(null)}
      onFocusIn={focus}
      onFocusOut={() => hover(null)}
      onClick={click}
      onKeyDown={press}
    >
      {Array.from({ length: rows }, (_, row) => (
        <Row key={row} model={model} row={row} columns={columns} />
      ))}
    </div>
  );
}

function Row({ model, row, columns }: { model: ViewerModel; row: number; columns: number }): JSX.Element {
  const { explanation, report } = model;
  const region = (patch: number) =>
    report.explanation.regions.length ? `, ${shortName(model, explanation.playerOfPatch(patch))}` : "";
  return (
    <div role="row" class="patch-row">
      {Array.from({ length: columns }, (_, column) => {
        const patch = row * columns + column;
        return (
          <div
            key={patch}
            role="gridcell"
            class="patch"
            data-patch={patch}
            tabIndex={patch === 0 ? 0 : -1}
            aria-label={`row ${row}, column ${column}${region(patch)}`}
          />
        );
      })}
    </div>
  );
}

/** The patch that a key leads to from another; null for other keys. */
function target(event: KeyboardEvent, patch: number, rows: number, columns: number): number | null {
  const [row, column] = [Math.floor(patch / columns), patch % columns];
  const all = event.ctrlKey || event.metaKey;
  const places: Readonly<Record<string, readonly [number, number]>> = {
    ArrowUp: [row - 1, column],
    ArrowDown: [row + 1, column],
    ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1],
    Home: [all ? 0 : row, 0],
    End: [all ? rows - 1 : row, columns - 1],
    PageUp: [0, column],
    PageDown: [rows - 1, column],
  };
  const place = places[event.key];
  if (!place) return null;
  const inside = (at: number, count: number) => Math.min(Math.max(at, 0), count - 1);
  return inside(place[0], rows) * columns + inside(place[1], columns);
}

/** Roving focus, set on the elements themselves so that no cell is drawn anew. */
function moveTo(grid: HTMLElement, from: HTMLElement, patch: number | null): boolean {
  if (patch === null) return false;
  const to = grid.querySelector<HTMLElement>(`[data-patch="${patch}"]`);
  grid.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
  (to ?? from).setAttribute("tabindex", "0");
  (to ?? from).focus();
  return true;
}
