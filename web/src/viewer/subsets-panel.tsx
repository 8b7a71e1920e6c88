import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { type ExplanationDocument, signed, type ViewerState } from "../explanation/index.ts";
import { Choice, Slider } from "../ui/index.ts";
import { type ChartLine, CurvesChart } from "./curves-chart.tsx";
import type { ViewerModel } from "./model.ts";
import type { PanelProps } from "./panel.ts";
import { type MeasuredCurves, measuredCurves, type SubsetChoice, sizeOf } from "./subset-choice.ts";

/** Which subset is shown, what is predicted of it, and the values of all sizes. */
export function SubsetsPanel({ subsets, ...props }: PanelProps & { subsets: SubsetChoice | null }): JSX.Element {
  const { model, state, onState } = props;
  const { n } = model.explanation;
  const size = sizeOf(state.size, n);
  return (
    <>
      <Choice
        label="Subset"
        value={state.extreme}
        options={[
          { value: "best", label: "Keeps the match best" },
          { value: "worst", label: "Breaks it most" },
        ]}
        onChange={(extreme) => onState({ extreme })}
      />
      <Slider
        label="Players present"
        min={0}
        max={n}
        value={size}
        valueText={`${size} of ${n}`}
        onInput={(chosen) => onState({ size: chosen })}
      />
      {subsets ? (
        <Findings model={model} state={state} subsets={subsets} size={size} />
      ) : (
        <p role="status">Searching …</p>
      )}
    </>
  );
}

function Findings(props: { model: ViewerModel; state: ViewerState; subsets: SubsetChoice; size: number }): JSX.Element {
  const { model, state, subsets, size } = props;
  const { report, explanation } = model;
  const { empty_value, full_value, score } = report.explanation;
  const measured = useMemo(
    () => measuredCurves(report, subsets.basis, explanation.n),
    [report, subsets.basis, explanation.n],
  );
  const lines = useMemo(() => linesOf(subsets, measured), [subsets, measured]);
  const predicted = subsets.predicted?.[state.extreme][size];
  const levels = [
    { name: "all present", value: full_value },
    { name: "none", value: empty_value },
  ];
  return (
    <>
      {predicted !== undefined && (
        <p class="viewer-figure">
          <strong>{signed(predicted)}</strong> predicted {score}
          <span>
            all present {signed(full_value)}, none {signed(empty_value)}
          </span>
        </p>
      )}
      {lines.length > 0 && (
        <CurvesChart n={explanation.n} lines={lines} levels={levels} at={size} label={chartLabel(report.explanation)} />
      )}
      <p class="viewer-note">{basisOf(model, subsets)}</p>
    </>
  );
}

function linesOf(subsets: SubsetChoice, measured: MeasuredCurves | null): ChartLine[] {
  const sized = (values: readonly number[]) => values.map((value, size) => ({ size, value }));
  const { predicted } = subsets;
  const predictions: ChartLine[] = predicted
    ? [
        { name: "best, predicted", sign: "positive", measured: false, points: sized(predicted.best) },
        { name: "worst, predicted", sign: "negative", measured: false, points: sized(predicted.worst) },
      ]
    : [];
  const measurements: ChartLine[] = measured
    ? [
        { name: "best, measured", sign: "positive", measured: true, points: measured.best },
        { name: "worst, measured", sign: "negative", measured: true, points: measured.worst },
      ]
    : [];
  return [...predictions, ...measurements];
}

function chartLabel({ score }: ExplanationDocument): string {
  return `The ${score} of the best and the worst subset, by the number of players present`;
}

function basisOf({ report }: ViewerModel, { basis, predicted }: SubsetChoice): string {
  const { method, index } = report.explanation;
  const ranked = "Players are ranked by their main effects.";
  if (predicted === null) {
    const how = basis === "pairs" ? "Subsets are of greatest and least sum of attributions." : ranked;
    return `${method} attributes (${index}) and predicts no values. ${how}`;
  }
  if (basis === "ranking") return ranked;
  return "Of every size, the subset of greatest and of least predicted value; subsets of neighbouring sizes need not be nested.";
}
