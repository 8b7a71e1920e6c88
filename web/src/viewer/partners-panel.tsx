import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { Choice } from "../ui/index.ts";
import type { PanelProps } from "./panel.ts";
import { Ranking } from "./ranking.tsx";
import { nameOf, partnersOf, shortName } from "./speech.ts";

const PARTNERS_LISTED = 14;

/** The strongest partners of the player whose map is shown. */
export function PartnersPanel({
  subject,
  limit,
  ...props
}: PanelProps & { subject: number; limit: number }): JSX.Element {
  const { model, state, onState, marked, arePair, onHover, onPin } = props;
  const items = useMemo(
    () =>
      partnersOf(model, subject)
        .slice(0, PARTNERS_LISTED)
        .map(({ player, value, stdError }) => ({
          players: [player],
          label: shortName(model, player),
          value,
          stdError,
        })),
    [model, subject],
  );
  if (model.withoutPairs) return <p class="viewer-note">{model.withoutPairs}</p>;
  return (
    <>
      <section>
        <h3>
          Strongest partners of <bdi>{nameOf(model, subject)}</bdi>
        </h3>
        {items.length ? (
          <Ranking
            items={items}
            limit={limit}
            label="Strongest partners"
            marked={marked}
            arePair={arePair}
            onHover={onHover}
            onPick={([player]) => player !== undefined && onPin(player)}
          />
        ) : (
          <p class="viewer-note">{shortName(model, subject)} has no value with any other player.</p>
        )}
      </section>
      <Choice
        label="Scale of the maps"
        value={state.scale}
        options={[
          { value: "shared", label: "Same for all" },
          { value: "own", label: "Each its own" },
        ]}
        onChange={(scale) => onState({ scale })}
      />
    </>
  );
}
