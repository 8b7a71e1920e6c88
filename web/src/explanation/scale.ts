/** The scale that every figure is coloured on, the same as in `fixlip_core/rendering/style.py`, and how numbers read. */

export type Rgb = readonly [number, number, number];

export const INK = "#1a1a1a";
export const PAPER = "#ffffff";

// From blue over a neutral near-white to orange: straight lines in Oklab, of equal lightness and chroma at both ends.
const NEUTRAL_LIGHTNESS = 0.975;
const END_LIGHTNESS = 0.53;
const END_CHROMA = 0.127;
const NEGATIVE_HUE_DEGREES = 255;
const POSITIVE_HUE_DEGREES = 55;

/** Ends within which numbers are written as they are. */
const SHORT = [0.01, 10_000] as const;
const MOST_DECIMALS = 5;
const SMALLEST = 2.2250738585072014e-308;
const STEPS = [1, 2, 2.5, 5, 10];
const MINUS = "\u2212";
const SUPERSCRIPTS: Record<string, string> = Object.fromEntries(
  [..."-0123456789"].map((c, k) => [c, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[k] ?? c]),
);

/** sRGB in [0, 1] of a value on the symmetric scale from -limit to limit; neutral where it is NaN or the limit 0. */
export function diverging(value: number, limit: number): Rgb {
  const share = limit > 0 && !Number.isNaN(value) ? Math.min(1, Math.max(-1, value / limit)) : 0;
  const strength = Math.abs(share);
  const hue = ((share < 0 ? NEGATIVE_HUE_DEGREES : POSITIVE_HUE_DEGREES) * Math.PI) / 180;
  const lightness = NEUTRAL_LIGHTNESS + (END_LIGHTNESS - NEUTRAL_LIGHTNESS) * strength;
  return fromOklab(lightness, END_CHROMA * strength * Math.cos(hue), END_CHROMA * strength * Math.sin(hue));
}

function fromOklab(lightness: number, a: number, b: number): Rgb {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    encoded(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    encoded(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    encoded(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

function encoded(linear: number): number {
  const clipped = Math.min(1, Math.max(0, linear));
  return clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055;
}

/** The same as a CSS colour. */
export function colour(value: number, limit: number): string {
  return `rgb(${diverging(value, limit)
    .map((channel) => Math.round(255 * channel))
    .join(" ")})`;
}

/** Black or white, whichever contrasts more (WCAG 2) with an sRGB background in [0, 1]: at least 4.5 on the scale. */
export function inkOn(background: Rgb): string {
  const [red, green, blue] = background.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as [
    number,
    number,
    number,
  ];
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 ? "#ffffff" : "#000000";
}

/** Round values within [-limit, limit], symmetric around zero, at most two on either side. */
export function ticks(limit: number): number[] {
  if (!(limit >= SMALLEST)) return [0];
  const magnitude = 10 ** Math.floor(Math.log10(limit / 2));
  const step = (STEPS.find((s) => limit < 2.999 * s * magnitude) ?? 10) * magnitude;
  const count = Math.trunc((limit / step) * (1 + 1e-9));
  return Array.from({ length: 2 * count + 1 }, (_, k) => (k - count) * step);
}

/** A number with its sign and three digits: `+0.25`, `0`, `−0.25`, `+2.5e−04`. */
export function signed(value: number): string {
  if (value === 0) return "0";
  const text = rounded(Math.abs(value));
  return (value < 0 ? MINUS : "+") + text.replace("-", MINUS);
}

/** A magnitude with three digits, two where it needs a power of ten. */
export function unsigned(value: number): string {
  return value === 0 ? "0" : (value < 0 ? MINUS : "") + rounded(Math.abs(value)).replace("-", MINUS);
}

function rounded(size: number): string {
  if (Number.isNaN(size)) return "none";
  const short = size >= SHORT[0] / 10 && size < SHORT[1];
  const [mantissa = "", power = "0"] = size.toExponential(short ? 2 : 1).split("e");
  const exponent = Number(power);
  if (short && exponent < 3) return withoutZeros(size.toFixed(2 - exponent));
  const sign = exponent < 0 ? "-" : "+";
  return `${withoutZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

function withoutZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** A value with its standard error, where it has one: the error with two digits, the value as far: `+3.010 ± 0.055`. */
export function withError(value: number, stdError: number): string {
  if (Number.isNaN(stdError)) return signed(value);
  const decimals = Math.max(0, 1 - Number(stdError.toExponential(1).split("e")[1]));
  // Where that would be a row of zeros, or digits without end, each is written on its own.
  if (stdError === 0 || decimals > MOST_DECIMALS || !(Math.abs(value) < SHORT[1])) {
    return `${signed(value)} ± ${unsigned(stdError)}`;
  }
  const sign = value < 0 ? MINUS : "+";
  return `${sign}${Math.abs(value).toFixed(decimals)} ± ${stdError.toFixed(decimals)}`;
}

/** The power of ten in whose units ticks up to `limit` are short: 0, or a multiple of 3. */
export function exponent(limit: number): number {
  if (!(limit >= SMALLEST) || (limit >= SHORT[0] && limit < SHORT[1])) return 0;
  return 3 * Math.floor(Math.log10(limit) / 3);
}

/** `label` with the unit in which its ticks are given: `..., 10⁻⁶`. */
export function inPowers(label: string, power: number): string {
  return power === 0 ? label : `${label}, 10${[...String(power)].map((c) => SUPERSCRIPTS[c]).join("")}`;
}

/** What a value of `score` is measured in. */
export function unit(score: string): string {
  return `effect on the ${score}`;
}
