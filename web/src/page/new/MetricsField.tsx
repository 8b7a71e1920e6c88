import { useId } from "preact/hooks";

import type { MetricView } from "../api/index.ts";
import { count } from "../words.ts";
import { change, draft } from "./draft.ts";
import { Option } from "./Option.tsx";
import { parted } from "./words.ts";

interface MetricsFieldProps {
  readonly metrics: readonly MetricView[];
  readonly error: string | null;
}

/** Which metrics judge the explanation. */
export function MetricsField({ metrics, error }: MetricsFieldProps) {
  const id = useId();
  const chosen = draft.value.metrics;
  const set = (name: string, isChosen: boolean): void => {
    const names = metrics.map((metric) => metric.name);
    change({ metrics: names.filter((one) => (one === name ? isChosen : chosen.includes(one))) });
  };
  return (
    <fieldset class="new-options" aria-describedby={error ? `${id}-error` : undefined}>
      <legend class="ui-label">Judged by</legend>
      {metrics.map((metric) => {
        const { name, does } = parted(metric.title);
        return (
          <Option
            key={metric.name}
            type="checkbox"
            group={id}
            value={metric.name}
            name={name}
            does={[does && `${does}.`, `Needs: ${uncapital(metric.needs)}`].filter(Boolean).join(" ")}
            cost={`up to ${count(metric.cost.image_passes)} passes`}
            isChosen={chosen.includes(metric.name)}
            onChange={(isChosen) => set(metric.name, isChosen)}
          />
        );
      })}
      {error && (
        <p class="ui-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </fieldset>
  );
}

function uncapital(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
