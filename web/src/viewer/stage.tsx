import type { JSX, RefObject } from "preact";
import { useCallback, useMemo, useRef } from "preact/hooks";
import type { Pair } from "../explanation/index.ts";
import type { Backdrop } from "./backdrop.ts";
import { Caption } from "./caption.tsx";
import type { Box } from "./geometry.ts";
import { type Look, plainLook } from "./look.ts";
import type { ViewerModel } from "./model.ts";
import { middleOf, type Places, paintCurves, paintMap, paintMarks } from "./paint.ts";
import { isPointedAt } from "./panel.ts";
import { PatchGrid, type Touch } from "./patch-grid.tsx";
import { type Paint, Surface } from "./surface.tsx";

interface StageProps {
  readonly model: ViewerModel;
  readonly look: Look;
  /** Whether the picture is shown as it is, without its map. */
  readonly plain: boolean;
  /** Null until the picture is there. */
  readonly backdrop: Backdrop | null;
  /** Players that are pointed at, here or elsewhere. */
  readonly marked: readonly number[];
  /** Whether these are the two of a pair. */
  readonly arePair: boolean;
  readonly pinned: number | null;
  /** What is told of a player while it is pointed at. */
  readonly tip: (player: number) => string;
  readonly touch: Touch;
}

/** The picture with its map, the caption under it, and the curves between them. */
export function Stage(props: StageProps): JSX.Element {
  const { model, look, marked, arePair, pinned, tip, touch } = props;
  const figure = useRef<HTMLDivElement>(null);
  const tipped = marked.length === 1 ? (marked[0] ?? null) : null;
  return (
    <div ref={figure} class={look.pairs.length ? "stage with-curves" : "stage"}>
      <Picture {...props} tipped={tipped} />
      <Caption model={model} look={look} marked={marked} pinned={pinned} tip={tip} tipped={tipped} touch={touch} />
      {look.pairs.length > 0 && <Curves {...{ figure, model, look, marked, arePair }} />}
    </div>
  );
}

function Picture(props: StageProps & { tipped: number | null }): JSX.Element {
  const { model, look, plain, backdrop, marked, pinned, tipped, touch } = props;
  const { width, height } = model.report.image;
  const shown = useMemo(() => (plain ? plainLook(look) : look), [look, plain]);
  const map = useCallback<Paint>(
    (context, size) => {
      if (backdrop) paintMap(context, size, model, shown, backdrop);
    },
    [model, shown, backdrop],
  );
  const framed = useMemo(() => (pinned === null ? marked : [pinned, ...marked]), [pinned, marked]);
  const marks = useCallback<Paint>(
    (context, size) => paintMarks(context, size, model, look.subject ?? pinned, framed),
    [model, look.subject, pinned, framed],
  );
  return (
    <div class="picture" style={{ aspectRatio: `${width} / ${height}` }}>
      <Surface class="layer" paint={map} />
      <Surface class="layer" paint={marks} />
      <PatchGrid model={model} touch={touch} />
      {tipped !== null && tipped < model.explanation.nImage && <PatchTip {...props} player={tipped} />}
    </div>
  );
}

/** What a patch is worth, beside it: above in the lower half of the picture, below in the upper. */
function PatchTip({ model, tip, player }: StageProps & { player: number }): JSX.Element {
  const { x, y } = middleOf(model, { left: 0, top: 0, width: 100, height: 100 }, player);
  const gap = `calc(${y > 50 ? 100 - y : y}% + ${50 / model.explanation.grid[0]}% + 0.4rem)`;
  const place = { left: `clamp(4.5rem, ${x}%, calc(100% - 4.5rem))`, [y > 50 ? "bottom" : "top"]: gap };
  return (
    <div class="tip patch-tip" aria-hidden="true" style={place}>
      {tip(player)}
    </div>
  );
}

function Curves(props: {
  figure: RefObject<HTMLElement | null>;
  model: ViewerModel;
  look: Look;
  marked: readonly number[];
  arePair: boolean;
}): JSX.Element {
  const { figure, model, look, marked, arePair } = props;
  const paint = useCallback<Paint>(
    (context, size) => {
      const stands = (pair: Pair) => !marked.length || isPointedAt(pair.players, { marked, arePair });
      if (figure.current) paintCurves(context, size, model, look, placesIn(figure.current), stands);
    },
    [figure, model, look, marked, arePair],
  );
  return <Surface class="layer" paint={paint} />;
}

function placesIn(figure: HTMLElement): Places {
  const origin = figure.getBoundingClientRect();
  const boxOf = (element: Element): Box => {
    const { left, top, width, height } = element.getBoundingClientRect();
    return { left: left - origin.left, top: top - origin.top, width, height };
  };
  return {
    picture: boxOf(figure.querySelector(".picture") ?? figure),
    words: Array.from(figure.querySelectorAll(".word"), boxOf),
  };
}
