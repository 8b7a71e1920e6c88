import { useId } from "preact/hooks";

import type { Catalogue } from "../api/index.ts";
import { change, draft, methodOf, modelOf } from "./draft.ts";
import { Option } from "./Option.tsx";
import { costOf, parted } from "./words.ts";

interface MethodFieldProps {
  readonly catalogue: Catalogue;
  readonly error: string | null;
}

/** Which method explains: what each gives and costs. */
export function MethodField({ catalogue, error }: MethodFieldProps) {
  const id = useId();
  const model = modelOf(draft.value, catalogue);
  const chosen = methodOf(draft.value, catalogue);
  return (
    <fieldset class="new-options" aria-describedby={error ? `${id}-error` : undefined}>
      <legend class="ui-label">Method</legend>
      {catalogue.methods.map((method) => {
        const isPossible = !model || model.methods.includes(method.name);
        const isChosen = method === chosen;
        const { name, does } = parted(method.title);
        return (
          <Option
            key={method.name}
            type="radio"
            group={id}
            value={method.name}
            name={name}
            does={isPossible ? does : `Not for ${model.id}: the inside of that model cannot be read`}
            cost={`${method.order === 2 ? "pairs" : "players"} · ${costOf(method)}`}
            isChosen={isChosen}
            isDisabled={!isPossible && !isChosen}
            isInvalid={isChosen && (!isPossible || error !== null)}
            onChange={() => change({ method: method.name })}
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
