import { useId } from "preact/hooks";

export interface SliderProps {
  label: string;
  min: number;
  max: number;
  step?: number;
  value: number;
  onInput: (value: number) => void;
  /** How the value reads, to eyes and to screen readers; by default as a number. */
  valueText?: string;
}

export function Slider({ label, min, max, step = 1, value, onInput, valueText = String(value) }: SliderProps) {
  const id = useId();
  return (
    <div class="ui-slider">
      <label for={id}>{label}</label>
      <output for={id} aria-live="off">
        {valueText}
      </output>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={valueText}
        onInput={(event) => onInput(event.currentTarget.valueAsNumber)}
      />
    </div>
  );
}
