import type { ScoreSummaryView } from "../api/batches.ts";
import { count } from "../words.ts";
import { type Axis, axisOf, placeOn } from "./axis.ts";
import { plain, scoreText } from "./naming.ts";

interface ChartProps {
  /** One score of several ways. */
  readonly scores: readonly ScoreSummaryView[];
  readonly names: readonly string[];
}

const percent = (share: number): string => `${(100 * share).toFixed(3)}%`;

/** Means with their 95 % intervals, on one axis. */
export function ScoreChart({ scores, names }: ChartProps) {
  const [first] = scores;
  if (!first) return null;
  const ends = scores.flatMap(({ mean, ci_low, ci_high }) => [mean, ci_low, ci_high]);
  const axis = axisOf(ends.filter((end) => end !== null));
  return (
    <table class="score-chart">
      <caption>
        <strong>
          {plain(first.metric)}, {plain(first.score)}
        </strong>{" "}
        {first.higher_is_better ? "higher is better" : "lower is better"}
      </caption>
      <thead class="ui-hidden">
        <tr>
          <th scope="col">Way</th>
          <th scope="col">Mean, 95 % interval, number of pairs</th>
        </tr>
      </thead>
      <tbody>
        {scores.map((score) => (
          <Bar key={score.way} score={score} name={names[score.way] ?? ""} axis={axis} />
        ))}
        <tr aria-hidden="true">
          <td class="score-axis">
            <div class="score-ticks">
              {axis.ticks.map((tick) => (
                <span key={tick} style={{ left: percent(placeOn(axis, tick)) }}>
                  {String(tick).replace("-", "\u2212")}
                </span>
              ))}
            </div>
          </td>
        </tr>
      </tbody>
    </table>
  );
}

function Bar({ score, name, axis }: { score: ScoreSummaryView; name: string; axis: Axis }) {
  const { mean, ci_low: low, ci_high: high } = score;
  const missing = score.n_missing > 0 ? `, ${count(score.n_missing)} without it` : "";
  const interval = low === null || high === null ? "" : ` ${scoreText(low)} to ${scoreText(high)}`;
  return (
    <tr>
      <th scope="row">{name}</th>
      <td class="number" title={`${count(score.n)} pairs${missing}`}>
        <b>{scoreText(mean)}</b>
        <span class="quiet">
          {interval} · n = {count(score.n)}
        </span>
      </td>
      <td class="score-bar" aria-hidden="true">
        <div class="dot-bar">
          {axis.ticks.map((tick) => (
            <i key={tick} class={tick === 0 ? "is-zero" : undefined} style={{ left: percent(placeOn(axis, tick)) }} />
          ))}
          {low !== null && high !== null && (
            <span
              class="score-interval"
              style={{ left: percent(placeOn(axis, low)), width: percent(placeOn(axis, high) - placeOn(axis, low)) }}
            />
          )}
          {mean !== null && <span class="score-dot" style={{ left: percent(placeOn(axis, mean)) }} />}
        </div>
      </td>
    </tr>
  );
}
