import type { AgreementView, ExplanationComparisonView } from "../api/comparisons.ts";
import { Scrolls } from "../tables/Scrolls.tsx";
import { count } from "../words.ts";

interface AgreementProps {
  readonly comparison: ExplanationComparisonView;
  readonly names: readonly string[];
}

const PARTS: Readonly<Record<AgreementView["part"], string>> = {
  image: "picture",
  text: "caption",
  pairs: "pairs of both",
};
const MINUS = "\u2212";

/** How far every two explanations agree. */
export function AgreementSection({ comparison, names }: AgreementProps) {
  const nameOf = (id: string): string => names[comparison.explanations.findIndex((each) => each.id === id)] ?? id;
  return (
    <section class="agreement" aria-labelledby="agreement">
      <h2 id="agreement">How far they agree</h2>
      <Scrolls label="Agreement">
        <table>
          <caption>
            1 is full agreement, 0 none, {MINUS}1 the opposite; of the overlap of the strongest tenth, 1 is the same and
            0 nothing in common
          </caption>
          <thead>
            <tr>
              <th scope="col">Explanations</th>
              <th scope="col">Values of</th>
              <th scope="col" class="number">
                Spearman
              </th>
              <th scope="col" class="number">
                Kendall
              </th>
              <th scope="col" class="number">
                Cosine
              </th>
              <th scope="col" class="number">
                Overlap
              </th>
            </tr>
          </thead>
          {groupsOf(comparison.agreements).map((group) => (
            <Group key={group[0]?.explanations.join()} group={group} nameOf={nameOf} />
          ))}
        </table>
      </Scrolls>
      {comparison.notes.length > 0 && (
        <ul class="compare-notes">
          {comparison.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Group({ group, nameOf }: { group: readonly AgreementView[]; nameOf: (id: string) => string }) {
  return (
    <tbody>
      {group.map((agreement, index) => (
        <tr key={agreement.part}>
          {index === 0 && (
            <th scope="rowgroup" rowSpan={group.length}>
              {nameOf(agreement.explanations[0])}
              <br />
              {nameOf(agreement.explanations[1])}
            </th>
          )}
          <th scope="row">
            {PARTS[agreement.part]} <span class="quiet">n = {count(agreement.n)}</span>
          </th>
          <Measures agreement={agreement} />
        </tr>
      ))}
    </tbody>
  );
}

function Measures({ agreement }: { agreement: AgreementView }) {
  const { spearman, kendall, cosine, top_overlap: overlap, top_k, note } = agreement;
  if (note !== null && [spearman, kendall, cosine, overlap].every((value) => value === null)) {
    return (
      <td colSpan={4} class="quiet">
        {note}
      </td>
    );
  }
  return (
    <>
      {[spearman, kendall, cosine].map((value, index) => (
        <td key={index} class="number" title={value === null ? (note ?? undefined) : undefined}>
          <Measure value={value} />
        </td>
      ))}
      <td class="number" title={`of the ${top_k} strongest`}>
        <Measure value={overlap} />
      </td>
    </>
  );
}

function Measure({ value }: { value: number | null }) {
  if (value === null) return <span class="quiet">none</span>;
  return (
    <span class="measure">
      {value.toFixed(2).replace("-", MINUS)}
      <i aria-hidden="true" class={value < 0 ? "measure-negative" : undefined}>
        <b style={{ width: `${Math.abs(100 * value).toFixed(1)}%` }} />
      </i>
    </span>
  );
}

/** The agreements of the same two explanations, together. */
function groupsOf(agreements: readonly AgreementView[]): readonly (readonly AgreementView[])[] {
  const groups: AgreementView[][] = [];
  for (const agreement of agreements) {
    const last = groups.at(-1);
    if (last?.[0]?.explanations.join() === agreement.explanations.join()) last.push(agreement);
    else groups.push([agreement]);
  }
  return groups;
}
