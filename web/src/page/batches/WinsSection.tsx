import { useState } from "preact/hooks";

import type { ComparisonView, ScoreSummaryView } from "../api/batches.ts";
import { Scrolls } from "../tables/Scrolls.tsx";
import { count } from "../words.ts";
import { grouped } from "./groups.ts";
import { plain, scoreText } from "./naming.ts";

interface WinsProps {
  readonly comparisons: readonly ComparisonView[];
  readonly scores: readonly ScoreSummaryView[];
  readonly names: readonly string[];
}

/** Of every two ways, which is better on how many pairs; one score at a time. */
export function WinsSection({ comparisons, scores, names }: WinsProps) {
  const [chosen, setChosen] = useState("");
  const groups = grouped(
    comparisons.filter(({ n }) => n > 0),
    ({ metric, score }) => `${plain(metric)}, ${plain(score)}`,
  );
  const name = groups.has(chosen) ? chosen : ([...groups.keys()][0] ?? "");
  const shown = groups.get(name) ?? [];
  const isHigher = scores.find((score) => `${plain(score.metric)}, ${plain(score.score)}` === name)?.higher_is_better;
  if (shown.length === 0) return null;
  return (
    <section class="wins" aria-labelledby="batch-wins">
      <div class="section-head">
        <h3 id="batch-wins">Which is better, pair by pair</h3>
        <label class="wins-score">
          <span class="ui-label">By</span>
          <select class="ui-input" value={name} onChange={(event) => setChosen(event.currentTarget.value)}>
            {[...groups.keys()].map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
      </div>
      <Scrolls label="Wins and losses">
        <table class="wins-table" role="table">
          <caption>
            {isHigher ? "The higher score wins." : "The lower score wins."} p: Wilcoxon’s signed-rank test, not
            corrected for comparing many.
          </caption>
          <thead role="rowgroup">
            <tr role="row">
              <th scope="col" role="columnheader">
                The one
              </th>
              <th scope="col" role="columnheader">
                wins, ties, losses
              </th>
              <th scope="col" role="columnheader">
                The other
              </th>
              <th scope="col" role="columnheader" class="number">
                Mean difference, 95 % interval
              </th>
              <th scope="col" role="columnheader" class="number">
                p
              </th>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {shown.map((comparison) => (
              <Wins key={`${comparison.a} ${comparison.b}`} comparison={comparison} names={names} />
            ))}
          </tbody>
        </table>
      </Scrolls>
    </section>
  );
}

function Wins({ comparison, names }: { comparison: ComparisonView; names: readonly string[] }) {
  const { wins, ties, losses, mean_difference, ci_low, ci_high, p_value } = comparison;
  return (
    <tr role="row">
      <th scope="row" role="rowheader">
        {names[comparison.a]}
      </th>
      <td role="cell" class="wins-cell">
        <span class="wins-numbers">
          {count(wins)} <span class="quiet">· {count(ties)} ·</span> {count(losses)}
        </span>
        <span class="wins-bar" aria-hidden="true">
          <i class="wins-a" style={{ flexGrow: wins }} />
          <i class="wins-tie" style={{ flexGrow: ties }} />
          <i class="wins-b" style={{ flexGrow: losses }} />
        </span>
      </td>
      <td role="cell" class="wins-other">
        {names[comparison.b]}
      </td>
      <td role="cell" class="number">
        {scoreText(mean_difference)}
        {ci_low !== null && ci_high !== null && (
          <span class="quiet">
            {" "}
            {scoreText(ci_low)} to {scoreText(ci_high)}
          </span>
        )}
      </td>
      <td role="cell" class="number" data-label="p">
        {p_value === null ? "–" : p_value < 0.001 ? "< 0.001" : p_value.toFixed(3)}
      </td>
    </tr>
  );
}
