import { useCallback, useMemo } from "preact/hooks";

import type { ViewerState } from "../../explanation/index.ts";
import { ExplanationViewer, type ScaleLimits } from "../../viewer/index.ts";
import type { ExplanationJob } from "../api/index.ts";
import { type Common, partner, partners } from "./linking.ts";
import { marksOf } from "./naming.ts";
import { SubjectHead } from "./SubjectHead.tsx";
import type { CompareState } from "./state.ts";
import type { Subject } from "./useSubjects.ts";

/** A player that is pointed at, and in which of the explanations. */
export interface Pointed {
  readonly of: number;
  readonly player: number;
}

interface ColumnProps {
  readonly jobs: readonly ExplanationJob[];
  readonly subjects: readonly Subject[];
  /** How players meet; null as long as that is not known. */
  readonly common: readonly Common[] | null;
  readonly state: CompareState;
  readonly onState: (changed: Partial<CompareState>) => void;
  readonly index: number;
  readonly pointed: Pointed | null;
  /** Whose map is shown as long as nothing is pointed at; null where that is not so. */
  readonly explored: Pointed | null;
  readonly onPointed: (pointed: Pointed | null) => void;
  readonly limits: ScaleLimits | null;
  readonly onRemove: (() => void) | undefined;
}

/** One of the explanations; what is pointed at or pinned in another is so here, where the players meet. */
export function Column(props: ColumnProps) {
  const { jobs, subjects, common, state, onState, index, pointed, onPointed, limits } = props;
  const shown = pointed ?? props.explored;
  const marks = useMemo(() => marksOf(jobs), [jobs]);
  const linked = useMemo(() => {
    if (!common || !shown || shown.of === index) return null;
    return partners(common, shown.of, shown.player)[index] ?? null;
  }, [common, shown, index]);
  const own = useMemo(() => ownState(state, index, subjects, common), [state, index, subjects, common]);
  const point = useCallback(
    (player: number | null) => onPointed(player === null ? null : { of: index, player }),
    [index, onPointed],
  );
  const [job, subject] = [jobs[index], subjects[index]];
  if (!job || !subject) return null;
  return (
    <li>
      <SubjectHead job={job} marks={marks[index] ?? []} onRemove={props.onRemove} />
      <ExplanationViewer
        compact
        report={subject.report}
        imageUrl={subject.imageUrl}
        state={own}
        onState={(viewer) => onState({ of: index, viewer })}
        linked={linked}
        onHover={point}
        {...(limits ? { limits } : {})}
      />
    </li>
  );
}

/** What the viewer of one explanation shows: the player of another as its partner, sizes in proportion. */
function ownState(
  { viewer, of }: CompareState,
  index: number,
  subjects: readonly Subject[],
  common: readonly Common[] | null,
): ViewerState {
  if (of === index) return viewer;
  const [players, others] = [subjects[index]?.explanation.n ?? 1, subjects[of]?.explanation.n ?? 1];
  return {
    ...viewer,
    player: viewer.player === null || !common ? null : partner(common, of, viewer.player, index),
    size: viewer.size === null ? null : Math.round((viewer.size * players) / others),
  };
}
