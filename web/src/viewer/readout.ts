/** What is said of the players that are pointed at, in every view: the tooltip's few words, and the line below. */
import type { Look } from "./look.ts";
import type { ViewerModel } from "./model.ts";
import type { PanelProps } from "./panel.ts";
import { describePair, describePlayer, effectOf, nameOf, pairValue, shortName } from "./speech.ts";

const HINT = "Point at a patch or a word; click or tap pins it. Arrow keys move, Enter pins, Escape unpins.";

export function tipOf(model: ViewerModel, look: Look, player: number): string {
  if (look.present) return `${shortName(model, player)} ${presence(look.present, player)}`;
  if (look.subject === null || look.subject === player) return `${shortName(model, player)} ${effectOf(model, player)}`;
  return `${shortName(model, look.subject)} × ${shortName(model, player)} ${pairValue(model, look.subject, player)}`;
}

/** One sentence about what is pointed at, or else pinned; none of several players that are not a pair. */
export function readoutOf(
  { model, state, marked, arePair }: Pick<PanelProps, "model" | "state" | "marked" | "arePair">,
  look: Look,
): string {
  const [first, second] = marked;
  if (first !== undefined && second !== undefined && arePair) return describePair(model, second, first);
  const player = marked.length === 1 ? first : undefined;
  if (look.subject !== null) {
    const other = player !== undefined && player !== look.subject;
    return other ? describePair(model, look.subject, player) : describePlayer(model, look.subject);
  }
  const told = player ?? state.player;
  if (told === null || told === undefined || told >= model.explanation.n) return HINT;
  if (look.present) {
    return `${nameOf(model, told)}: ${presence(look.present, told)}; main effect ${effectOf(model, told)}`;
  }
  return describePlayer(model, told);
}

function presence(present: Uint8Array, player: number): string {
  return present[player] ? "present" : "removed";
}
