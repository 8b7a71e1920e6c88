import { useEffect } from "preact/hooks";

import { type BatchView, getSummary, isOver } from "../api/batches.ts";
import { Failure } from "../shell/Failure.tsx";
import { useLoaded } from "../shell/useLoaded.ts";
import { grouped } from "./groups.ts";
import { textsOf, variedParams, wayName } from "./rows.ts";
import { ScoreChart } from "./ScoreChart.tsx";
import { WaysTable } from "./WaysTable.tsx";
import { WinsSection } from "./WinsSection.tsx";

/** Steps of a running batch at which its summary is made anew: it is dear to make. */
const STEPS = 10;

/** What a batch has found in brief: each way to explain, its scores, and which way is better. */
export function SummarySection({ batch, ended }: { batch: BatchView; ended: number }) {
  const { value: summary, error, reload } = useLoaded(batch.id, (signal) => getSummary(batch.id, signal));
  const step = isOver(batch.status)
    ? `over ${batch.retries}`
    : Math.floor((STEPS * ended) / batch.request_counts.total);
  useEffect(reload, [step, reload]);
  if (error) return <Failure error={error} onRetry={reload} />;
  if (!summary || summary.ways.length === 0) return null;
  const shown = summary.ways.map((way) => ({ ...way, params: textsOf(way.params) }));
  const varied = variedParams(shown);
  const areManyModels = new Set(summary.ways.map((way) => way.model)).size > 1;
  const names = shown.map((way) => `${areManyModels ? `${way.model} · ` : ""}${wayName(way, varied)}`);
  const scores = [...grouped(summary.scores, (score) => `${score.metric}.${score.score}`)];
  return (
    <section class="batch-summary" aria-labelledby="batch-summary">
      <h2 id="batch-summary">Summary</h2>
      <WaysTable ways={summary.ways} names={names} />
      {scores.length > 0 && (
        <div class="score-charts">
          {scores.map(([key, ofScore]) => (
            <ScoreChart key={key} scores={ofScore} names={names} />
          ))}
        </div>
      )}
      <WinsSection comparisons={summary.comparisons} scores={summary.scores} names={names} />
    </section>
  );
}
