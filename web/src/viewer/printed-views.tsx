import type { ComponentChildren, JSX } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import { type ReportDocument, signed, withError } from "../explanation/index.ts";
import { Legend } from "../ui/index.ts";
import type { Backdrop } from "./backdrop.ts";
import { Words } from "./caption.tsx";
import { InTurn } from "./in-turn.tsx";
import { conditionedLook, effectsLook, graphLook, type Look, subsetLook } from "./look.ts";
import { modelOf, type ViewerModel } from "./model.ts";
import { paintMap } from "./paint.ts";
import { graphSize, paintGraphSheet } from "./printed-graph.ts";
import { shortName } from "./speech.ts";
import { FixedSurface, type Paint } from "./surface.tsx";
import { useBackdrop } from "./use-backdrop.ts";
import { useSubsets } from "./use-subsets.ts";
import { arranged, pairRows, playerRows, type ValueRow } from "./value-rows.ts";
import "./viewer.css";
import "./printed.css";

/** CSS pixels: three small figures, or one large one, stand side by side on a printed page. */
const LARGE_PX = 330;
const SMALL_PX = 205;
const PIXELS_EACH = 2;
const PAIRS_DRAWN = 24;
const SUBSET_SHARES = [0.1, 0.25, 0.5];
const VALUES_LISTED = 40;

/** All views of an explanation one under another, for paper: nothing in it is measured, so it may be hidden. */
export function PrintedViews({ report, imageUrl }: { report: ReportDocument; imageUrl: string }): JSX.Element | null {
  const model = useMemo(() => modelOf(report), [report]);
  const backdrop = useBackdrop(imageUrl);
  if (!backdrop || backdrop === "failed") return null;
  const sheet = { model, backdrop };
  return (
    <div class="printed-views">
      <Section title="First order, and the strongest pairs of image and text">
        <InTurn>
          <Figure {...sheet} look={effectsLook(model)} width={LARGE_PX} title="Main effects of patches and words" />
        </InTurn>
        <InTurn>{!model.withoutPairs && <PrintedGraph {...sheet} />}</InTurn>
      </Section>
      {!model.withoutPairs && <PrintedConditions {...sheet} />}
      <PrintedSubsets {...sheet} />
      <Section title="Strongest values">
        <PrintedValues title="Players, by main effect" rows={playerRows(model)} />
        {!model.withoutPairs && <PrintedValues title="Pairs" rows={pairRows(model, VALUES_LISTED)} />}
      </Section>
    </div>
  );
}

interface Sheet {
  readonly model: ViewerModel;
  readonly backdrop: Backdrop;
}

function Section({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  return (
    <section>
      <h2>{title}</h2>
      <div class="printed-row">{children}</div>
    </section>
  );
}

function PrintedConditions({ model, backdrop }: Sheet): JSX.Element {
  const { n, nImage } = model.explanation;
  const words = Array.from({ length: n - nImage }, (_, index) => nImage + index);
  return (
    <Section title="Conditioned on each word">
      {words.map((word) => (
        <InTurn key={word}>
          <Figure
            model={model}
            backdrop={backdrop}
            look={conditionedLook(model, word, "shared")}
            width={SMALL_PX}
            title={shortName(model, word)}
          />
        </InTurn>
      ))}
    </Section>
  );
}

function PrintedSubsets({ model, backdrop }: Sheet): JSX.Element | null {
  const { explanation } = model;
  const subsets = useSubsets(model, true);
  if (!subsets) return null;
  const sizes = [...new Set(SUBSET_SHARES.map((share) => Math.round(share * explanation.n)))];
  return (
    <Section title="Subsets that keep the match best, and break it most">
      {(["best", "worst"] as const).flatMap((extreme) =>
        sizes.map((size) => {
          const predicted = subsets.predicted?.[extreme][size];
          const told = predicted === undefined ? "" : `: ${signed(predicted)} predicted`;
          return (
            <InTurn key={`${extreme} ${size}`}>
              <Figure
                model={model}
                backdrop={backdrop}
                look={subsetLook(subsets[extreme][size] ?? new Uint8Array(explanation.n))}
                width={SMALL_PX}
                title={`${extreme} ${size} of ${explanation.n}${told}`}
              />
            </InTurn>
          );
        }),
      )}
    </Section>
  );
}

/** A picture with its caption and the key to its colours. */
function Figure(props: Sheet & { look: Look; width: number; title: string }): JSX.Element {
  const { model, backdrop, look, width, title } = props;
  const { image } = model.report;
  const size = { width, height: (width * image.height) / image.width };
  const paint = useCallback<Paint>(
    (context, within) => paintMap(context, within, model, look, backdrop),
    [model, look, backdrop],
  );
  return (
    <figure class="printed-figure" style={{ width: `${width}px` }}>
      <figcaption>
        <bdi>{title}</bdi>
      </figcaption>
      <FixedSurface class="printed-canvas" size={size} scale={PIXELS_EACH} paint={paint} />
      <Words model={model} look={look} />
      {look.label !== null && <Legend limit={look.limit} label={look.label} compact={width < LARGE_PX} />}
    </figure>
  );
}

function PrintedGraph({ model, backdrop }: Sheet): JSX.Element {
  const look = useMemo(() => graphLook(model, model.explanation.topPairs(PAIRS_DRAWN, { kind: "cross" })), [model]);
  const size = useMemo(() => graphSize(model, LARGE_PX), [model]);
  const paint = useCallback<Paint>(
    (context, within) => paintGraphSheet(context, within, model, look, backdrop),
    [model, look, backdrop],
  );
  return (
    <figure class="printed-figure" style={{ width: `${size.width}px` }}>
      <figcaption>The {look.pairs.length} strongest pairs of image and text</figcaption>
      <FixedSurface class="printed-canvas" size={size} scale={PIXELS_EACH} paint={paint} />
      <Legend limit={look.limit} label={`${model.pairsLabel}: wide is strong`} />
    </figure>
  );
}

function PrintedValues({ title, rows }: { title: string; rows: readonly ValueRow[] }): JSX.Element {
  const strongest = arranged(rows, "", { key: "strength", descending: true }).slice(0, VALUES_LISTED);
  return (
    <table class="printed-values">
      <caption>{title}</caption>
      <tbody>
        {strongest.map(({ players, label, effect, value, stdError }) => (
          <tr key={players.join(" ")}>
            <th scope="row">
              <bdi>{label}</bdi>
            </th>
            <td class="number">{players.length === 1 ? signed(effect) : withError(value, stdError)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
