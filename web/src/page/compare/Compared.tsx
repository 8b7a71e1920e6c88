import { useCallback, useMemo, useState } from "preact/hooks";

import { Choice, Tabs } from "../../ui/index.ts";
import { type ScaleLimits, scaleLimits, VIEW_TABS } from "../../viewer/index.ts";
import { modelOf } from "../../viewer/model.ts";
import { getComparison } from "../api/comparisons.ts";
import type { ExplanationJob } from "../api/index.ts";
import { Failure } from "../shell/Failure.tsx";
import { useLoaded } from "../shell/useLoaded.ts";
import { AgreementSection } from "./AgreementSection.tsx";
import { Column, type Pointed } from "./Column.tsx";
import { DifferenceSection } from "./DifferenceSection.tsx";
import { namesOf } from "./naming.ts";
import type { CompareState } from "./state.ts";
import { type Subject, useSubjects } from "./useSubjects.ts";

interface ComparedProps {
  readonly jobs: readonly ExplanationJob[];
  readonly state: CompareState;
  readonly onState: (changed: Partial<CompareState>) => void;
}

/** Explanations side by side, and below them how far they agree. */
export function Compared({ jobs, state, onState }: ComparedProps) {
  const { value: subjects, error } = useSubjects(state.ids);
  const key = state.ids.join(",");
  const comparison = useLoaded(key, (signal) => getComparison(state.ids, signal));
  const names = useMemo(() => namesOf(jobs), [jobs]);
  if (error) return <Failure error={error} />;
  if (!subjects) return <p class="quiet">Reading the explanations …</p>;
  const found = comparison.value;
  return (
    <>
      <p class="compare-caption">
        “<bdi>{jobs[0]?.input.caption}</bdi>”
      </p>
      {comparison.error && <Failure error={comparison.error} title="These cannot be compared" />}
      <Columns
        {...{ jobs, subjects, state, onState }}
        common={found ? found.explanations.map((each) => each.common) : null}
      />
      {!found && !comparison.error && <p class="quiet">Comparing …</p>}
      {found && <AgreementSection comparison={found} names={names} />}
      {found && <DifferenceSection comparison={found} names={names} subjects={subjects} />}
    </>
  );
}

interface ColumnsProps extends ComparedProps {
  readonly subjects: readonly Subject[];
  readonly common: readonly (readonly (readonly number[])[])[] | null;
}

const SCALES = [
  { value: "own", label: "Each its own" },
  { value: "one", label: "The same for all" },
] as const;

function Columns({ jobs, subjects, common, state, onState }: ColumnsProps) {
  const { pointed, explored, point } = usePointing(subjects);
  const shared = useMemo(() => sharedLimits(subjects), [subjects]);
  const without = (id: string) => () => onState({ ids: state.ids.filter((each) => each !== id), of: 0 });
  return (
    <Tabs
      label="Views"
      items={VIEW_TABS}
      selected={state.viewer.view}
      onSelect={(view) => onState({ viewer: { ...state.viewer, view } })}
    >
      {shared ? (
        <Choice
          label="Scale of the colours"
          options={SCALES}
          value={state.isOneScale ? "one" : "own"}
          onChange={(scale) => onState({ isOneScale: scale === "one" })}
        />
      ) : (
        <p class="quiet">The values have different units: each explanation has a scale of its own.</p>
      )}
      <ol class="compare-columns">
        {subjects.map((subject, index) => (
          <Column
            key={subject.id}
            {...{ jobs, subjects, common, state, onState, index, pointed }}
            explored={state.viewer.view === "conditioned" && state.viewer.player === null ? explored : null}
            limits={state.isOneScale ? shared : null}
            onPointed={point}
            onRemove={subjects.length > 2 ? without(subject.id) : undefined}
          />
        ))}
      </ol>
    </Tabs>
  );
}

/** What is pointed at, and what was so last: first the word that the first explanation shows by itself. */
function usePointing(subjects: readonly Subject[]) {
  const [pointed, setPointed] = useState<Pointed | null>(null);
  const [explored, setExplored] = useState<Pointed>(() => ({
    of: 0,
    player: subjects[0] ? modelOf(subjects[0].report).resting : 0,
  }));
  const point = useCallback((now: Pointed | null) => {
    setPointed(now);
    if (now) setExplored(now);
  }, []);
  return { pointed, explored, point };
}

/** The scales that fit all; null where the explanations have not the same unit. */
function sharedLimits(subjects: readonly Subject[]): ScaleLimits | null {
  const units = new Set(subjects.map(({ report: { explanation: e } }) => (e.additive ? e.score : e.index)));
  if (units.size > 1) return null;
  const limits = subjects.map(({ explanation }) => scaleLimits(explanation));
  return {
    effects: Math.max(...limits.map(({ effects }) => effects)),
    pairs: Math.max(...limits.map(({ pairs }) => pairs)),
  };
}
