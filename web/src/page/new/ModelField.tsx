import { Field } from "../../ui/index.ts";
import type { Catalogue } from "../api/index.ts";
import { change, draft, modelOf } from "./draft.ts";

interface ModelFieldProps {
  readonly catalogue: Catalogue;
  readonly error: string | null;
}

/** Which model is asked. */
export function ModelField({ catalogue, error }: ModelFieldProps) {
  const model = modelOf(draft.value, catalogue);
  const hint = !model
    ? "No worker has announced a model yet: is one running?"
    : model.live
      ? `${model.family}: ${model.grid.join(" × ")} patches, at most ${model.max_tokens} tokens.`
      : "No worker serves this model now; the explanation waits until one does.";
  return (
    <Field label="Model" hint={hint} error={error}>
      {(field) => (
        <select
          {...field}
          class="ui-input"
          disabled={!model}
          value={model?.id ?? ""}
          onChange={(event) => change({ model: event.currentTarget.value })}
        >
          {catalogue.models.map(({ id, live }) => (
            <option key={id} value={id}>
              {live ? id : `${id} (not served now)`}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
