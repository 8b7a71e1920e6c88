import { colour, exponent, inPowers, signed, ticks } from "../explanation/scale.ts";

const STOPS = 16;
const GRADIENT = `linear-gradient(to right, ${Array.from({ length: STOPS + 1 }, (_, k) => colour((2 * k) / STOPS - 1, 1))})`;

export interface LegendProps {
  /** The scale goes from -limit to limit. */
  limit: number;
  /** What is measured, such as "effect on the logit". */
  label: string;
  compact?: boolean;
}

/** The key to the colours: which sign, how much, of what. */
export function Legend({ limit, label, compact = false }: LegendProps) {
  const power = exponent(limit);
  const all = ticks(limit);
  const marks = compact ? all.filter((tick, k) => tick === 0 || k === 0 || k === all.length - 1) : all;
  return (
    <div class={compact ? "ui-legend ui-legend-compact" : "ui-legend"} role="img" aria-label={spoken(limit, label)}>
      <div class="ui-legend-bar" style={{ background: GRADIENT }} />
      <div class="ui-legend-ticks">
        {marks.map((tick) => (
          <Mark key={tick} share={limit > 0 ? tick / limit : 0} text={signed(tick / 10 ** power)} />
        ))}
      </div>
      <div>{inPowers(label, power)}</div>
    </div>
  );
}

/** A tick at a share of the limit; its label is centred below it, but stays within the bar's ends. */
function Mark({ share, text }: { share: number; text: string }) {
  const left = `${50 + 50 * share}%`;
  return (
    <>
      <i style={{ left }} />
      <span style={{ left, transform: `translateX(${-50 - 50 * share ** 5}%)` }}>{text}</span>
    </>
  );
}

function spoken(limit: number, label: string): string {
  return `Colours: ${label}, from ${signed(-limit)} in blue over 0 in white to ${signed(limit)} in orange`;
}
