import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { signed, ticks } from "../explanation/index.ts";
import type { SizedValue } from "./subset-choice.ts";
import { useSize } from "./surface.tsx";

export interface ChartLine {
  readonly name: string;
  readonly sign: "positive" | "negative";
  readonly measured: boolean;
  readonly points: readonly SizedValue[];
}

interface ChartLevel {
  readonly name: string;
  readonly value: number;
}

interface ChartProps {
  readonly n: number;
  readonly lines: readonly ChartLine[];
  readonly levels: readonly ChartLevel[];
  /** The size that is shown beside, if any. */
  readonly at?: number;
  readonly label: string;
}

const HEIGHT_PX = 190;
const MARGIN_PX = { left: 44, right: 12, top: 22, bottom: 26 };
/** For print, where nothing is measured. */
const USUAL_WIDTH_PX = 420;

/** Values over the number of players present. */
export function CurvesChart({ n, lines, levels, at, label }: ChartProps): JSX.Element {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSize(frame)?.width || USUAL_WIDTH_PX;
  const values = [...lines.flatMap(({ points }) => points.map(({ value }) => value)), ...levels.map((l) => l.value)];
  const finite = values.filter(Number.isFinite);
  const [low, high] = [Math.min(...finite, 0), Math.max(...finite, 0)];
  const spread = high - low || 1;
  const x = (size: number) => MARGIN_PX.left + (size / n) * (width - MARGIN_PX.left - MARGIN_PX.right);
  const y = (value: number) =>
    MARGIN_PX.top + ((high - value) / spread) * (HEIGHT_PX - MARGIN_PX.top - MARGIN_PX.bottom);
  const top = Math.max(...levels.map((level) => level.value));
  const drawn = ticks(Math.max(-low, high)).filter((tick) => tick >= low - 1e-9 && tick <= high + 1e-9);
  return (
    <div ref={frame} class="chart">
      <svg role="img" aria-label={label} width={width} height={HEIGHT_PX} viewBox={`0 0 ${width} ${HEIGHT_PX}`}>
        {drawn.map((tick) => (
          <g key={tick}>
            <line class="chart-grid" x1={x(0)} x2={x(n)} y1={y(tick)} y2={y(tick)} />
            <text class="chart-tick" x={x(0) - 6} y={y(tick) + 4} text-anchor="end">
              {signed(tick)}
            </text>
          </g>
        ))}
        {levels.map(({ name, value }) => (
          <line key={name} class="chart-level" x1={x(0)} x2={x(n)} y1={y(value)} y2={y(value)} />
        ))}
        {at !== undefined && (
          <line class="chart-at" x1={x(at)} x2={x(at)} y1={MARGIN_PX.top} y2={HEIGHT_PX - MARGIN_PX.bottom} />
        )}
        {lines.map(({ name, sign, measured, points }) => (
          <polyline
            key={name}
            class={`chart-line is-${sign}${measured ? " is-measured" : ""}`}
            points={points
              .filter(({ value }) => Number.isFinite(value))
              .map(({ size, value }) => `${x(size).toFixed(1)},${y(value).toFixed(1)}`)
              .join(" ")}
          />
        ))}
        {levels.map(({ name, value }) => (
          <text key={name} class="chart-name" x={x(n)} y={y(value) + (value === top ? -6 : 14)} text-anchor="end">
            {name} {signed(value)}
          </text>
        ))}
        {[0, Math.round(n / 2), n].map((size, place) => (
          <text
            key={size}
            class="chart-tick"
            x={x(size)}
            y={HEIGHT_PX - 8}
            text-anchor={(["start", "middle", "end"] as const)[place]}
          >
            {place === 2 ? `${size} players` : size}
          </text>
        ))}
      </svg>
      <ul class="chart-key">
        {lines.map(({ name, sign, measured }) => (
          <li key={name}>
            <svg aria-hidden="true" width="22" height="8">
              <line class={`chart-line is-${sign}${measured ? " is-measured" : ""}`} x1="0" x2="22" y1="4" y2="4" />
            </svg>
            {name}
          </li>
        ))}
      </ul>
    </div>
  );
}
