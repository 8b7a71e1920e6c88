import { useCallback } from "preact/hooks";

import { diverging, signed } from "../../explanation/index.ts";
import { type Backdrop, blank, contextOf } from "../../viewer/backdrop.ts";
import { Surface } from "../../viewer/surface.tsx";
import { useBackdrop } from "../../viewer/use-backdrop.ts";
import type { CommonPlayers } from "../api/comparisons.ts";
import { cutOf, DIFFERENCE_LIMIT, seenFrame } from "./difference.ts";
import type { Subject } from "./useSubjects.ts";

interface MapProps {
  /** Of each common image player. */
  readonly values: readonly number[];
  readonly players: CommonPlayers;
  /** Whose view of the picture lies beneath. */
  readonly subject: Subject | undefined;
}

/** Differences on the common grid, over the part of the picture that all models saw. */
export function DifferenceMap({ values, players, subject }: MapProps) {
  const backdrop = useBackdrop(subject?.imageUrl ?? "");
  const frame = players.frame;
  const seen = subject ? seenFrame(subject.report.explanation.provenance) : null;
  const paint = useCallback(
    (context: CanvasRenderingContext2D, { width, height }: { width: number; height: number }) => {
      context.imageSmoothingEnabled = false;
      context.drawImage(tints(values, players), 0, 0, width, height);
      if (!backdrop || backdrop === "failed") return;
      context.imageSmoothingEnabled = true;
      context.globalCompositeOperation = "multiply";
      drawPart(context, backdrop, cutOf(frame, seen), width, height);
      context.globalCompositeOperation = "source-over";
    },
    [values, players, backdrop],
  );
  const shape = frame ? (frame.right - frame.left) / (frame.bottom - frame.top) : ratio(subject);
  return (
    <div class="difference-map" role="img" aria-label={inWords(values, players)} style={{ aspectRatio: String(shape) }}>
      <Surface class="difference-canvas" paint={paint} />
    </div>
  );
}

function ratio(subject: Subject | undefined): number {
  return subject ? subject.report.image.width / subject.report.image.height : 1;
}

type Cut = ReturnType<typeof cutOf>;

function drawPart(
  context: CanvasRenderingContext2D,
  { heat }: Backdrop,
  cut: Cut,
  width: number,
  height: number,
): void {
  const [left, top] = [cut.left * heat.width, cut.top * heat.height];
  const [wide, tall] = [(cut.right - cut.left) * heat.width, (cut.bottom - cut.top) * heat.height];
  context.drawImage(heat, left, top, wide, tall, 0, 0, width, height);
}

/** One pixel for each patch. */
function tints(values: readonly number[], { grid: [rows, columns], regions }: CommonPlayers): HTMLCanvasElement {
  const canvas = blank(columns, rows);
  const context = contextOf(canvas);
  const image = context.createImageData(columns, rows);
  for (let patch = 0; patch < rows * columns; patch++) {
    const rgb = diverging(values[regions[patch] ?? patch] ?? 0, DIFFERENCE_LIMIT);
    rgb.forEach((share, channel) => {
      image.data[4 * patch + channel] = Math.round(255 * share);
    });
    image.data[4 * patch + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

const MOST_TOLD = 3;

/** The greatest differences, for whoever sees no colours. */
function inWords(values: readonly number[], { grid: [, columns], regions, region_labels }: CommonPlayers): string {
  const name = (player: number): string =>
    regions.length > 0
      ? (region_labels[player] ?? `region ${player}`)
      : `row ${Math.floor(player / columns)}, column ${player % columns}`;
  const places = values.map((value, player) => ({ value, player }));
  places.sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
  const told = places.slice(0, MOST_TOLD).map(({ value, player }) => `${name(player)}: ${signed(value)}`);
  return `Map of differences; greatest at ${told.join("; ")}`;
}
