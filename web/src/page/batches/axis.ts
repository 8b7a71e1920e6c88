/** The axis of a small chart of numbers: its ends, and round values between them. */

export interface Axis {
  readonly low: number;
  readonly high: number;
  readonly ticks: readonly number[];
}

const STEPS = [1, 2, 2.5, 5, 10];
const MOST_STEPS = 4;
const MARGIN = 0.06;

/** An axis for all of `values`; zero is on it where it is not far. */
export function axisOf(values: readonly number[]): Axis {
  let low = Math.min(...values);
  let high = Math.max(...values);
  if (!(Number.isFinite(low) && Number.isFinite(high))) return { low: 0, high: 1, ticks: [0, 1] };
  if (low > 0 && low < high / 2) low = 0;
  if (high < 0 && high > low / 2) high = 0;
  const room = (high - low || Math.abs(high) || 1) * MARGIN;
  const [left, right] = [low === 0 ? 0 : low - room, high === 0 ? 0 : high + room];
  const step = stepOf((right - left) / MOST_STEPS);
  const first = Math.ceil(left / step - 1e-9);
  const count = Math.floor(right / step + 1e-9) - first + 1;
  return { low: left, high: right, ticks: Array.from({ length: count }, (_, k) => tidy((first + k) * step, step)) };
}

/** Where a value lies on the axis, from 0 to 1. */
export function placeOn(axis: Axis, value: number): number {
  return (value - axis.low) / (axis.high - axis.low);
}

/** The least round number that is not less. */
function stepOf(least: number): number {
  const magnitude = 10 ** Math.floor(Math.log10(least));
  return magnitude * (STEPS.find((step) => step * magnitude >= least * (1 - 1e-9)) ?? 10);
}

function tidy(value: number, step: number): number {
  const digits = Math.max(0, 2 - Math.floor(Math.log10(step)));
  return Number(value.toFixed(Math.min(digits, 100)));
}
