/** Drawing on canvases; all lengths are CSS pixels. */
import { colour, diverging, INK, PAPER, type Pair } from "../explanation/index.ts";
import { type Backdrop, blank, contextOf } from "./backdrop.ts";
import {
  arc,
  type Box,
  below,
  borders,
  type Curve,
  centreOf,
  descent,
  type Edge,
  outline,
  type Point,
} from "./geometry.ts";
import type { Look } from "./look.ts";
import type { ViewerModel } from "./model.ts";

type Context = CanvasRenderingContext2D;

export interface Size {
  readonly width: number;
  readonly height: number;
}

const BORDER = "#6b6b6b";
const HALO = "rgba(255, 255, 255, 0.8)";
const VEIL = "rgba(226, 226, 226, 0.93)";
const HATCH = "rgba(120, 120, 120, 0.38)";
const HATCH_STEP_PX = 7;
const CURVE_PX = { thin: 1, thick: 4.5 };
const NODE_PX = 3;
const DASHES: Readonly<Record<Pair["kind"], number[]>> = { cross: [], image: [6, 3.5], text: [1.5, 3.5] };
const DIMMED = 0.1;

type Layer = readonly [colour: string, width: number];
const FRAME: readonly Layer[] = [
  [PAPER, 4],
  [INK, 1.75],
];
const HEAVY_FRAME: readonly Layer[] = [
  [PAPER, 6],
  [INK, 3],
];

/** The picture in the colours of a look, with lines between regions. */
export function paintMap(context: Context, size: Size, model: ViewerModel, look: Look, backdrop: Backdrop): void {
  const { width, height } = size;
  context.clearRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  if (look.ground === "heat" && look.values) {
    context.imageSmoothingEnabled = false;
    context.drawImage(tints(model, look.values, look.limit), 0, 0, width, height);
    context.imageSmoothingEnabled = true;
    context.globalCompositeOperation = "multiply";
    context.drawImage(backdrop.heat, 0, 0, width, height);
    context.globalCompositeOperation = "source-over";
  } else {
    context.drawImage(look.ground === "faded" ? backdrop.faded : backdrop.colour, 0, 0, width, height);
  }
  if (look.present) paintVeil(context, size, model, look.present);
  const { regions } = model.report.explanation;
  if (regions.length) strokeEdges(context, size, model, borders(model.explanation.grid, regions), [[BORDER, 1]]);
}

/** One pixel for each patch. */
function tints({ explanation }: ViewerModel, values: Float32Array, limit: number): HTMLCanvasElement {
  const [rows, columns] = explanation.grid;
  const canvas = blank(columns, rows);
  const context = contextOf(canvas);
  const image = context.createImageData(columns, rows);
  for (let patch = 0; patch < rows * columns; patch++) {
    diverging(values[explanation.playerOfPatch(patch)] ?? 0, limit).forEach((share, channel) => {
      image.data[4 * patch + channel] = Math.round(255 * share);
    });
    image.data[4 * patch + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** What is out is veiled and hatched, and lined off from what is in. */
function paintVeil(context: Context, size: Size, model: ViewerModel, present: Uint8Array): void {
  const { explanation } = model;
  const [rows, columns] = explanation.grid;
  const [wide, tall] = [size.width / columns, size.height / rows];
  context.save();
  context.beginPath();
  for (let patch = 0; patch < rows * columns; patch++) {
    if (present[explanation.playerOfPatch(patch)]) continue;
    context.rect((patch % columns) * wide, Math.floor(patch / columns) * tall, wide, tall);
  }
  context.fillStyle = VEIL;
  context.fill();
  context.clip();
  context.beginPath();
  for (let left = -size.height; left < size.width; left += HATCH_STEP_PX) {
    context.moveTo(left, size.height);
    context.lineTo(left + size.height, 0);
  }
  context.strokeStyle = HATCH;
  context.lineWidth = 1;
  context.stroke();
  context.restore();
  const owners = Array.from({ length: rows * columns }, (_, patch) => present[explanation.playerOfPatch(patch)] ?? 0);
  strokeEdges(context, size, model, borders(explanation.grid, owners), [[BORDER, 1]]);
}

/** Frames around players of the image; the subject's is the heavier. */
export function paintMarks(
  context: Context,
  size: Size,
  model: ViewerModel,
  subject: number | null,
  marked: readonly number[],
): void {
  context.clearRect(0, 0, size.width, size.height);
  const { grid, nImage } = model.explanation;
  const frame = (player: number, layers: readonly Layer[]) =>
    strokeEdges(context, size, model, outline(grid, model.explanation.patches(player)), layers);
  for (const player of marked) {
    if (player < nImage && player !== subject) frame(player, FRAME);
  }
  if (subject !== null && subject < nImage) frame(subject, HEAVY_FRAME);
}

function strokeEdges(
  context: Context,
  { width, height }: Size,
  { explanation }: ViewerModel,
  lines: readonly Edge[],
  layers: readonly Layer[],
): void {
  const [rows, columns] = explanation.grid;
  const [wide, tall] = [width / columns, height / rows];
  context.beginPath();
  for (const [x0, y0, x1, y1] of lines) {
    context.moveTo(x0 * wide, y0 * tall);
    context.lineTo(x1 * wide, y1 * tall);
  }
  context.lineCap = "square";
  for (const [stroke, lineWidth] of layers) {
    context.strokeStyle = stroke;
    context.lineWidth = lineWidth;
    context.stroke();
  }
}

/** Where the stage's parts lie, from its own corner. */
export interface Places {
  readonly picture: Box;
  readonly words: readonly Box[];
}

/** The pairs of a look as curves over picture and caption; those for which `stands` is not true are dim. */
export function paintCurves(
  context: Context,
  size: Size,
  model: ViewerModel,
  look: Look,
  places: Places,
  stands: (pair: Pair) => boolean,
): void {
  context.clearRect(0, 0, size.width, size.height);
  const order = [...look.pairs].reverse();
  order.sort((a, b) => Number(stands(a)) - Number(stands(b)));
  for (const pair of order) {
    context.globalAlpha = stands(pair) ? 1 : DIMMED;
    strokeCurve(context, curveOf(model, places, pair), pair, look.limit, places.picture);
  }
  context.globalAlpha = 1;
  paintNodes(context, model, look, places);
}

function paintNodes(context: Context, model: ViewerModel, look: Look, places: Places): void {
  const nodes = new Set(
    look.pairs.flatMap((pair) => pair.players).filter((player) => player < model.explanation.nImage),
  );
  context.lineWidth = 1;
  context.strokeStyle = PAPER;
  context.fillStyle = INK;
  for (const player of nodes) {
    const { x, y } = middleOf(model, places.picture, player);
    context.beginPath();
    context.arc(x, y, NODE_PX, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
  }
}

/** The middle of the patch that stands for a player. */
export function middleOf({ explanation }: ViewerModel, picture: Box, player: number): Point {
  const [rows, columns] = explanation.grid;
  const [row, column] = explanation.position(player);
  return {
    x: picture.left + ((column + 0.5) * picture.width) / columns,
    y: picture.top + ((row + 0.5) * picture.height) / rows,
  };
}

function curveOf(model: ViewerModel, { picture, words }: Places, { players: [first, second] }: Pair): Curve {
  const { nImage } = model.explanation;
  const word = (player: number): Box => words[player - nImage] ?? picture;
  if (second < nImage) return arc(middleOf(model, picture, first), middleOf(model, picture, second), picture);
  const end = word(second);
  if (first >= nImage) return below(word(first), end);
  return descent(middleOf(model, picture, first), { x: centreOf(end).x, y: end.top });
}

function strokeCurve(context: Context, curve: Curve, pair: Pair, limit: number, picture: Box): void {
  const [start, ...points] = curve;
  const numbers = points.flatMap(({ x, y }) => [x, y]);
  const path = new Path2D();
  path.moveTo(start?.x ?? 0, start?.y ?? 0);
  if (points.length === 2) path.quadraticCurveTo(...(numbers as [number, number, number, number]));
  else path.bezierCurveTo(...(numbers as [number, number, number, number, number, number]));
  const share = limit > 0 ? Math.min(Math.abs(pair.value) / limit, 1) : 0;
  const width = CURVE_PX.thin + (CURVE_PX.thick - CURVE_PX.thin) * share;
  context.save();
  // A light line around the curve belongs on the picture only: beside it the page may be dark.
  context.beginPath();
  context.rect(picture.left, picture.top, picture.width, picture.height);
  context.clip();
  context.strokeStyle = HALO;
  context.lineWidth = width + 2;
  context.stroke(path);
  context.restore();
  context.strokeStyle = colour(Math.sign(pair.value), 1);
  context.lineWidth = width;
  context.lineCap = "butt";
  context.setLineDash(DASHES[pair.kind]);
  context.stroke(path);
  context.setLineDash([]);
}
