/** The picture beneath a map: the model's view without its colours, which are left to the map, and made bright. */

export interface Backdrop {
  /** What lies under tints: multiplied by a colour it keeps the picture's detail. */
  readonly heat: HTMLCanvasElement;
  /** What lies under curves. */
  readonly faded: HTMLCanvasElement;
  readonly colour: HTMLImageElement;
}

const HEAT_BLACK = 0.58;
const FADED_BLACK = 0.62;
const WHITE_PERCENTILE = 0.995;
const DARKEST_WHITE = 0.3;
const MEDIAN_GREY = 0.85;
const POWERS = { least: 0.3, most: 1 };

export async function loadBackdrop(url: string): Promise<Backdrop> {
  const colour = new Image();
  colour.src = url;
  await colour.decode();
  const { naturalWidth: width, naturalHeight: height } = colour;
  const canvas = blank(width, height);
  const context = contextOf(canvas);
  context.drawImage(colour, 0, 0);
  const greys = brightGreys(context.getImageData(0, 0, width, height).data);
  return { heat: inGrey(greys, HEAT_BLACK, width, height), faded: inGrey(greys, FADED_BLACK, width, height), colour };
}

export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser draws no canvas");
  return context;
}

export function blank(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/**
 * Half luma, half the darkest channel, from 0 to 1, made bright.
 *
 * In luma alone a coloured thing as light as its surroundings would vanish; its darkest channel sets it off. A bright
 * picture lets a tint over it look as it does on the colour bar, so the median is lifted by a power.
 */
export function brightGreys(rgba: Uint8ClampedArray): Float32Array {
  const greys = new Float32Array(rgba.length / 4);
  for (let pixel = 0; pixel < greys.length; pixel++) {
    const [red, green, blue] = [rgba[4 * pixel] ?? 0, rgba[4 * pixel + 1] ?? 0, rgba[4 * pixel + 2] ?? 0];
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    greys[pixel] = (0.5 * luma + 0.5 * Math.min(red, green, blue)) / 255;
  }
  const sorted = Float32Array.from(greys).sort();
  const white = Math.max(quantile(sorted, WHITE_PERCENTILE), DARKEST_WHITE);
  const median = Math.min(Math.max(quantile(sorted, 0.5) / white, 0.01), 0.99);
  const power = Math.min(Math.max(Math.log(MEDIAN_GREY) / Math.log(median), POWERS.least), POWERS.most);
  return greys.map((grey) => Math.min(grey / white, 1) ** power);
}

function quantile(sorted: Float32Array, share: number): number {
  const place = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(place)] ?? 0, sorted[Math.ceil(place)] ?? 0];
  return low + (high - low) * (place - Math.floor(place));
}

function inGrey(greys: Float32Array, black: number, width: number, height: number): HTMLCanvasElement {
  const canvas = blank(width, height);
  const context = contextOf(canvas);
  const image = context.createImageData(width, height);
  for (let pixel = 0; pixel < greys.length; pixel++) {
    image.data.fill(Math.round(255 * (black + (1 - black) * (greys[pixel] ?? 0))), 4 * pixel, 4 * pixel + 3);
    image.data[4 * pixel + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
