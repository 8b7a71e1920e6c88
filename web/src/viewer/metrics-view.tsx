import type { JSX } from "preact";
import type { ExplanationDocument, ReportDocument } from "../explanation/index.ts";
import { signed } from "../explanation/index.ts";
import { Facts } from "../ui/index.ts";
import { CurvesChart } from "./curves-chart.tsx";
import { digits, Scores } from "./scores.tsx";
import { measuredCurves } from "./subset-choice.ts";
import "./panels.css";

/** How good the explanation is, and what it took. */
export function MetricsView({ report }: { report: ReportDocument }): JSX.Element {
  const scores = report.evaluation?.scores ?? [];
  return (
    <div class="viewer-metrics">
      <section>
        <h3>Scores</h3>
        {scores.length ? (
          <Scores scores={scores} />
        ) : (
          <p class="viewer-note">No metrics were asked for. Explain again with metrics to see how faithful it is.</p>
        )}
      </section>
      <section>
        <h3>The explanation</h3>
        <Facts items={factsOf(report)} />
      </section>
      <MeasuredChart report={report} basis="ranking" title="Insertion and deletion, players one after another" />
      <MeasuredChart report={report} basis="pairs" title="Insertion and deletion, best and worst subsets" />
    </div>
  );
}

function MeasuredChart(props: {
  report: ReportDocument;
  basis: "ranking" | "pairs";
  title: string;
}): JSX.Element | null {
  const { report, basis, title } = props;
  const { labels, score, full_value, empty_value } = report.explanation;
  const curves = measuredCurves(report, basis, labels.length);
  if (!curves) return null;
  const lines = [
    { name: "least important first", sign: "positive" as const, measured: true, points: curves.best },
    { name: "most important first", sign: "negative" as const, measured: true, points: curves.worst },
  ];
  const levels = [
    { name: "all present", value: full_value },
    { name: "none", value: empty_value },
  ];
  return (
    <section>
      <h3>{title}</h3>
      <CurvesChart
        n={labels.length}
        lines={lines}
        levels={levels}
        label={`${title}: the ${score} by players present`}
      />
    </section>
  );
}

function factsOf({ explanation, evaluation }: ReportDocument): (readonly [string, string | null])[] {
  return [
    ["Method", explanation.method],
    ["Index", `${explanation.index}, order ${explanation.order}${weight(explanation)}`],
    ["All players present", `${signed(explanation.full_value)} ${explanation.score}`],
    ["None present", `${signed(explanation.empty_value)} ${explanation.score}`],
    ["Baseline", explanation.baseline === null ? null : signed(explanation.baseline)],
    ["R², leave-one-out", explanation.estimated_r2 === null ? null : digits(explanation.estimated_r2)],
    ["Forward passes", passes(explanation)],
    ["Passes of the metrics", evaluation ? passes(evaluation) : null],
  ];
}

function weight({ p }: ExplanationDocument): string {
  return p === null ? "" : `, p = ${p}`;
}

function passes({ image_passes, text_passes }: { image_passes: number; text_passes: number }): string {
  return `${image_passes.toLocaleString("en")} image, ${text_passes.toLocaleString("en")} text`;
}
