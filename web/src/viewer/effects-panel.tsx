import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { Choice } from "../ui/index.ts";
import type { Look } from "./look.ts";
import type { ViewerModel } from "./model.ts";
import type { PanelProps } from "./panel.ts";
import { type Ranked, Ranking } from "./ranking.tsx";
import { shortName } from "./speech.ts";

const PATCHES_LISTED = 10;

/** Main effects as bars: of all words as the caption has them, and of the strongest parts of the picture. */
export function EffectsPanel({ look, ...props }: PanelProps & { look: Look }): JSX.Element {
  const { model, state, onState, marked, arePair, onHover, onPin } = props;
  const { words, patches } = useMemo(() => effects(model), [model]);
  const pick = ([player]: readonly number[]) => player !== undefined && onPin(player);
  const parts = model.report.explanation.regions.length ? "regions" : "patches";
  const common = { marked, arePair, onHover, onPick: pick };
  return (
    <>
      <section>
        <h3>Words</h3>
        <Ranking {...common} items={words} limit={look.wordsLimit} label="Main effects of the words" />
      </section>
      <section>
        <h3>Strongest {parts}</h3>
        <Ranking {...common} items={patches} limit={look.limit} label={`Main effects of the ${parts}`} />
      </section>
      {!model.effectsApart && (
        <Choice
          label="Scale"
          value={state.scale}
          options={[
            { value: "shared", label: "Words and patches together" },
            { value: "own", label: "Each its own" },
          ]}
          onChange={(scale) => onState({ scale })}
        />
      )}
    </>
  );
}

function effects(model: ViewerModel): { words: Ranked[]; patches: Ranked[] } {
  const { n, nImage, mainEffects, order } = model.explanation;
  const ranked = (player: number): Ranked => ({
    players: [player],
    label: shortName(model, player),
    value: mainEffects[player] ?? Number.NaN,
    // A main effect has pairs in it, whose errors do not simply add up.
    stdError: order === 1 ? model.explanation.stdError(player) : Number.NaN,
  });
  const all = Array.from({ length: n }, (_, player) => ranked(player));
  const patches = all.slice(0, nImage).filter(({ value }) => value !== 0);
  patches.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  return { words: all.slice(nImage), patches: patches.slice(0, PATCHES_LISTED) };
}
