import type { MethodView } from "../api/index.ts";
import { change, controls, draft } from "./draft.ts";
import { ParameterField } from "./ParameterField.tsx";
import type { Control } from "./schema.ts";

/** Parameters that most explanations are asked for with; a method with few shows all. */
const USUAL: readonly string[] = ["budget", "order", "p", "text_players"];
const FEW = 3;

interface ParametersProps {
  readonly method: MethodView;
  readonly problems: { readonly [field: string]: string };
}

/** The method's parameters: the usual ones, and the others behind a fold. */
export function Parameters({ method, problems }: ParametersProps) {
  const all = controls(method);
  const isUsual = ({ name }: Control): boolean => all.length <= FEW || USUAL.includes(name);
  const texts = draft.value.texts[method.name] ?? {};
  const set = (name: string, text: string): void => {
    change({ texts: { ...draft.value.texts, [method.name]: { ...texts, [name]: text } } });
  };
  const field = (control: Control) => (
    <ParameterField
      key={`${method.name}.${control.name}`}
      control={control}
      text={texts[control.name] ?? control.initial}
      error={problems[`params.${control.name}`] ?? null}
      onText={(text) => set(control.name, text)}
    />
  );
  const others = all.filter((control) => !isUsual(control));
  return (
    <fieldset class="new-parameters">
      <legend class="ui-label">Parameters</legend>
      <div class="new-fields">{all.filter(isUsual).sort(byUse).map(field)}</div>
      {problems.params && <p class="ui-error">{problems.params}</p>}
      {others.length > 0 && (
        <details>
          <summary>All parameters</summary>
          <div class="new-fields">{others.map(field)}</div>
        </details>
      )}
    </fieldset>
  );
}

function byUse(one: Control, other: Control): number {
  return USUAL.indexOf(one.name) - USUAL.indexOf(other.name);
}
