import type { JSX } from "preact";
import { type ScoreDocument, signed } from "../explanation/index.ts";

const METRICS: Readonly<Record<string, string>> = {
  faithfulness: "Faithfulness on fresh coalitions",
  aid: "Area between insertion and deletion",
  confidence: "Confidence of what is kept",
  sanity: "Sanity: random weights",
};
const SCORES: Readonly<Record<string, string>> = {
  r2: "R²",
  pearson: "Pearson’s correlation",
  spearman: "Spearman’s rank correlation",
  first_order: "Players one after another",
  second_order: "Best and worst subsets",
  image_drop: "Drop, picture times its map",
  image_increase: "Rises instead, picture",
  text_drop: "Drop, better half of the caption",
  text_increase: "Rises instead, caption",
  rank_correlation: "Rank correlation; 0 is best",
};

/** Every score as a dot on one line, with its interval. */
export function Scores({ scores }: { scores: readonly ScoreDocument[] }): JSX.Element {
  const ends = scores.flatMap(({ value, ci_low }) => [value, ci_low]).filter((end) => end !== null);
  const low = Math.max(Math.floor(2 * Math.min(0, ...ends)) / 2, -1);
  return (
    <table class="viewer-scores">
      <caption>
        Dots are values from {low === 0 ? "0" : signed(low)} to 1, bars their 95 % intervals; arrows point to values
        beyond.
      </caption>
      <thead>
        <tr>
          <th scope="col">Score</th>
          <th scope="col">Place</th>
          <th scope="col" class="number">
            Value
          </th>
          <th scope="col" class="number">
            95 % interval
          </th>
        </tr>
      </thead>
      <tbody>
        {scores.map((score, index) => (
          <tr key={`${score.metric}.${score.name}`}>
            <th scope="row">
              {scores[index - 1]?.metric !== score.metric && <small>{METRICS[score.metric] ?? score.metric}</small>}
              {SCORES[score.name] ?? score.name} <Better score={score} />
            </th>
            {score.value === null ? (
              <td colSpan={3} class="ui-muted">
                {score.note ?? "no value"}
              </td>
            ) : (
              <Measured score={score} value={score.value} low={low} />
            )}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Better({ score }: { score: ScoreDocument }): JSX.Element {
  const words = score.higher_is_better ? "higher is better" : "lower is better";
  return (
    <span class="ui-muted" title={words}>
      <span aria-hidden="true">{score.higher_is_better ? "↑" : "↓"}</span>
      <span class="ui-hidden">{words}</span>
    </span>
  );
}

function Measured({ score, value, low }: { score: ScoreDocument; value: number; low: number }): JSX.Element {
  const place = (at: number) => `${(100 * (Math.min(Math.max(at, low), 1) - low)) / (1 - low)}%`;
  const beyond = value > 1 ? " is-above" : value < low ? " is-below" : "";
  const { ci_low, ci_high } = score;
  const interval = ci_low !== null && ci_high !== null ? ([ci_low, ci_high] as const) : null;
  return (
    <>
      <td>
        <div class="dot-plot" aria-hidden="true">
          {[0, 1].map((mark) => (
            <span key={mark} class="dot-mark" style={{ left: place(mark) }} />
          ))}
          {interval && (
            <span
              class="dot-interval"
              style={{ left: place(interval[0]), right: `calc(100% - ${place(interval[1])})` }}
            />
          )}
          <span class={`dot${beyond}`} style={{ left: place(value) }} />
        </div>
      </td>
      <td class="number">{digits(value)}</td>
      <td class="number">{interval ? `${digits(interval[0])} to ${digits(interval[1])}` : "–"}</td>
    </>
  );
}

/** Three decimals, with a true minus. */
export function digits(value: number): string {
  return value.toFixed(3).replace("-", "\u2212");
}
