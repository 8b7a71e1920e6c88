import type { JSX } from "preact";
import { useCallback, useEffect, useMemo, useState } from "preact/hooks";
import type { ReportDocument, ViewerState } from "../explanation/index.ts";
import { Button, Legend, Problem, Tabs } from "../ui/index.ts";
import { EffectsPanel } from "./effects-panel.tsx";
import { GraphPanel } from "./graph-panel.tsx";
import type { Look } from "./look.ts";
import { MetricsView } from "./metrics-view.tsx";
import { modelOf, type ScaleLimits, type ViewerModel } from "./model.ts";
import type { PanelProps } from "./panel.ts";
import { PartnersPanel } from "./partners-panel.tsx";
import { readoutOf, tipOf } from "./readout.ts";
import { RecordView } from "./record-view.tsx";
import { Stage } from "./stage.tsx";
import type { SubsetChoice } from "./subset-choice.ts";
import { SubsetsPanel } from "./subsets-panel.tsx";
import { useBackdrop } from "./use-backdrop.ts";
import { useLook } from "./use-look.ts";
import { ValuesPanel } from "./values-panel.tsx";
import "./viewer.css";
import "./panels.css";

export interface ExplanationViewerProps {
  readonly report: ReportDocument;
  /** What the model saw; a blob: or data: address. */
  readonly imageUrl: string;
  readonly state: ViewerState;
  readonly onState: (state: ViewerState) => void;
  /** Without tabs and with little around, where several stand side by side. */
  readonly compact?: boolean;
  /** Players that are pointed at elsewhere. */
  readonly linked?: readonly number[] | null;
  /** Which player is pointed at here; null: none is any more. */
  readonly onHover?: (player: number | null) => void;
  /** Ends of scales that several viewers share. */
  readonly limits?: Partial<ScaleLimits>;
}

export const VIEW_TABS: readonly { id: ViewerState["view"]; label: string }[] = [
  { id: "first-order", label: "First order" },
  { id: "conditioned", label: "Conditioned" },
  { id: "graph", label: "Graph" },
  { id: "subsets", label: "Subsets" },
  { id: "values", label: "Values" },
  { id: "metrics", label: "Metrics" },
  { id: "record", label: "Record" },
];

const NONE: readonly number[] = [];

/** An explanation to look at and to touch. It fetches nothing, and keeps nothing but what is pointed at. */
export function ExplanationViewer(props: ExplanationViewerProps): JSX.Element {
  const { report, state, onState, compact = false, limits } = props;
  const model = useMemo(() => modelOf(report, limits), [report, limits?.effects, limits?.pairs]);
  const body = <Body {...props} model={model} />;
  if (compact) return <div class="viewer is-compact">{body}</div>;
  return (
    <div class="viewer">
      <Tabs label="Views" items={VIEW_TABS} selected={state.view} onSelect={(view) => onState({ ...state, view })}>
        {body}
      </Tabs>
    </div>
  );
}

function Body(props: ExplanationViewerProps & { model: ViewerModel }): JSX.Element {
  const { report, state } = props;
  if (state.view === "metrics") return <MetricsView report={report} />;
  if (state.view === "record") return <RecordView report={report} />;
  return <Explored {...props} />;
}

/** Picture and caption with what stands beside them. */
function Explored(props: ExplanationViewerProps & { model: ViewerModel }): JSX.Element {
  const { model, imageUrl, onState, onHover, linked } = props;
  const { n } = model.explanation;
  const pinned = props.state.player !== null && props.state.player < n ? props.state.player : null;
  const state = useMemo(() => ({ ...props.state, player: pinned }), [props.state, pinned]);
  const backdrop = useBackdrop(imageUrl);
  const [pointed, setPointed] = useState<readonly number[]>(NONE);
  const [explored, setExplored] = useState<number | null>(null);
  useEffect(() => setExplored(null), [model]);
  const marked = pointed.length ? pointed : (linked ?? NONE);
  const arePair = pointed.length === 2;
  const seen = linked?.length === 1 && !pointed.length ? linked[0] : explored;
  const { look, subsets } = useLook(model, state, seen ?? null);
  const point = useCallback(
    (players: readonly number[]) => {
      setPointed(players);
      onHover?.(players.length === 1 ? (players[0] ?? null) : null);
    },
    [onHover],
  );
  const change = (part: Partial<ViewerState>) => onState({ ...state, ...part });
  const pin = (player: number) => change({ player: player === pinned ? null : player });
  const unpin = () => {
    setExplored(null);
    if (pinned !== null) change({ player: null });
  };
  const touch = {
    onHover: (player: number | null) => {
      // What was explored last stays, so that the way to the lists beside does not lead past other players.
      if (player !== null) setExplored(player);
      point(player === null ? NONE : [player]);
    },
    onPin: pin,
    onUnpin: unpin,
  };
  const panel = { model, state, onState: change, marked, arePair, onHover: point, onPin: pin };
  return (
    <div class="viewer-body" data-view={state.view}>
      <div class="viewer-picture">
        {backdrop === "failed" && <Problem title="The picture could not be read" />}
        <Stage
          model={model}
          look={look}
          plain={state.plain}
          backdrop={backdrop === "failed" ? null : backdrop}
          marked={marked}
          arePair={arePair}
          pinned={pinned}
          tip={(player) => tipOf(model, look, player)}
          touch={touch}
        />
        <p class="viewer-readout" role="status">
          {readoutOf(panel, look)}
        </p>
        <Key {...{ model, look, imageUrl, state, change }} compact={props.compact ?? false} />
      </div>
      <div class="viewer-panel">
        <Panel {...panel} look={look} subsets={subsets} />
      </div>
    </div>
  );
}

/** The colours' key, and the switch to the plain picture. */
function Key(props: {
  model: ViewerModel;
  look: Look;
  imageUrl: string;
  compact: boolean;
  state: ViewerState;
  change: (part: Partial<ViewerState>) => void;
}): JSX.Element {
  const { model, look, imageUrl, compact, state, change } = props;
  const curves = look.pairs.length > 0;
  const label = curves ? `${model.pairsLabel}: wide is strong` : look.label;
  return (
    <div class="viewer-key">
      {label !== null && (
        <div>
          <Legend limit={look.limit} label={label} compact={compact} />
          {look.note && <p class="viewer-note">{look.note}</p>}
        </div>
      )}
      {look.ground !== "masked" && (
        <Button aria-pressed={state.plain} onClick={() => change({ plain: !state.plain })}>
          <img class="viewer-swatch" src={imageUrl} alt="" />
          Plain picture
        </Button>
      )}
    </div>
  );
}

function Panel(props: PanelProps & { look: Look; subsets: SubsetChoice | null }): JSX.Element {
  const { look, subsets, ...panel } = props;
  const { view } = panel.state;
  if (view === "conditioned") {
    return <PartnersPanel {...panel} subject={look.subject ?? panel.model.resting} limit={look.limit} />;
  }
  if (view === "graph") return <GraphPanel {...panel} pairs={look.pairs} limit={look.limit} />;
  if (view === "subsets") return <SubsetsPanel {...panel} subsets={subsets} />;
  if (view === "values") return <ValuesPanel {...panel} />;
  return <EffectsPanel {...panel} look={look} />;
}
