import type { ComponentChildren } from "preact";

interface OptionProps {
  readonly type: "radio" | "checkbox";
  readonly group: string;
  readonly value: string;
  readonly name: string;
  readonly does: ComponentChildren;
  readonly cost: string;
  readonly isChosen: boolean;
  readonly isDisabled?: boolean;
  readonly isInvalid?: boolean;
  readonly onChange: (isChosen: boolean) => void;
}

/** A row of a list of what can be chosen: its name, what it does, what it costs. */
export function Option({ type, group, value, name, does, cost, isChosen, ...rest }: OptionProps) {
  return (
    <label class="new-option">
      <input
        type={type}
        name={group}
        value={value}
        checked={isChosen}
        disabled={rest.isDisabled ?? false}
        aria-invalid={rest.isInvalid ?? false}
        onChange={(event) => rest.onChange(event.currentTarget.checked)}
      />
      <span class="new-option-name">{name}</span>
      <span class="new-option-cost">{cost}</span>
      <span class="new-option-does">{does}</span>
    </label>
  );
}
