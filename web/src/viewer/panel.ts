import type { ViewerState } from "../explanation/index.ts";
import type { ViewerModel } from "./model.ts";

/** What stands beside the picture: what it is told, and what it tells. */
export interface PanelProps {
  readonly model: ViewerModel;
  readonly state: ViewerState;
  readonly onState: (change: Partial<ViewerState>) => void;
  /** Players that are pointed at. */
  readonly marked: readonly number[];
  readonly onHover: (players: readonly number[]) => void;
  readonly onPin: (player: number) => void;
}
