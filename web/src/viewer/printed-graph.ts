/** The graph on one sheet, words and all: on paper nothing can be asked where the words stand. */
import { INK, PAPER } from "../explanation/index.ts";
import { type Backdrop, blank, contextOf } from "./backdrop.ts";
import type { Box } from "./geometry.ts";
import type { Look } from "./look.ts";
import type { ViewerModel } from "./model.ts";
import { paintCurves, paintMap, type Size } from "./paint.ts";

const FONT = "11px system-ui, sans-serif";
const LEADING_PX = 40;
const WORD_PX = { height: 18, padding: 4, gap: 4 };
const DIP_PX = 40;

interface Word extends Box {
  readonly text: string;
}

/** The sheet's size, from the words' widths. */
export function graphSize(model: ViewerModel, width: number): Size {
  return { width, height: Math.max(...layOut(model, width).map(({ top }) => top)) + WORD_PX.height + DIP_PX };
}

export function paintGraphSheet(
  context: CanvasRenderingContext2D,
  size: Size,
  model: ViewerModel,
  look: Look,
  backdrop: Backdrop,
): void {
  const picture = pictureBox(model, size.width);
  const words = layOut(model, size.width);
  const sheet = { width: size.width, height: size.height };
  paintCurves(context, sheet, model, look, { picture, words }, () => true);
  // Under the curves, which begin by wiping the sheet.
  context.globalCompositeOperation = "destination-over";
  const map = blank(picture.width * 2, picture.height * 2);
  paintMap(contextOf(map), { width: map.width, height: map.height }, model, look, backdrop);
  context.drawImage(map, picture.left, picture.top, picture.width, picture.height);
  context.globalCompositeOperation = "source-over";
  context.font = FONT;
  context.textBaseline = "middle";
  for (const word of words) {
    context.fillStyle = PAPER;
    context.fillRect(word.left, word.top, word.width, word.height);
    context.fillStyle = INK;
    context.fillText(word.text, word.left + WORD_PX.padding, word.top + word.height / 2);
  }
}

function pictureBox({ report }: ViewerModel, width: number): Box {
  return { left: 0, top: 0, width, height: (width * report.image.height) / report.image.width };
}

/** The words in lines below the picture. */
function layOut(model: ViewerModel, width: number): Word[] {
  const context = contextOf(blank(1, 1));
  context.font = FONT;
  let left = 0;
  let top = pictureBox(model, width).height + LEADING_PX;
  return model.explanation.tokens.map((text) => {
    const wide = Math.min(context.measureText(text).width + 2 * WORD_PX.padding, width);
    if (left + wide > width) [left, top] = [0, top + LEADING_PX];
    const word = { text, left, top, width: wide, height: WORD_PX.height };
    left += wide + WORD_PX.gap;
    return word;
  });
}
