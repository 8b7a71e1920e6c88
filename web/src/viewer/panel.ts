import type { ViewerState } from "../explanation/index.ts";
import type { ViewerModel } from "./model.ts";

/** What stands beside the picture: what it is told, and what it tells. */
export interface PanelProps {
  readonly model: ViewerModel;
  readonly state: ViewerState;
  readonly onState: (change: Partial<ViewerState>) => void;
  /** Players that are pointed at. */
  readonly marked: readonly number[];
  /** Whether these are the two of a pair; otherwise each is meant by itself. */
  readonly arePair: boolean;
  readonly onHover: (players: readonly number[]) => void;
  readonly onPin: (player: number) => void;
}

/** Whether `players`, one or a pair, are among what is pointed at: a pair alone, or all that has one of the players. */
export function isPointedAt(
  players: readonly number[],
  { marked, arePair }: Pick<PanelProps, "marked" | "arePair">,
): boolean {
  if (arePair) return marked.every((player) => players.includes(player));
  return marked.some((player) => players.includes(player));
}
