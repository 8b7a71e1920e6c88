import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** What a control takes over from its field: spread it into the control. */
export interface FieldControl {
  id: string;
  "aria-describedby": string | undefined;
  "aria-invalid": boolean;
}

export interface FieldProps {
  label: ComponentChildren;
  hint?: ComponentChildren;
  /** What is wrong with its value; nothing is where it is null. */
  error?: ComponentChildren | null;
  children: (control: FieldControl) => ComponentChildren;
}

/** A label, a control, a hint, and what is wrong: `<Field label="Caption">{(c) => <input {...c} />}</Field>`. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class="ui-field">
      <label class="ui-label" for={id}>
        {label}
      </label>
      {children({ id, "aria-describedby": described || undefined, "aria-invalid": Boolean(error) })}
      {hint && (
        <p class="ui-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="ui-error" id={`${id}-error`}>
          {error}
        </p>
      )}
    </div>
  );
}

export interface ChoiceProps<T extends string> {
  label: string;
  hideLabel?: boolean;
  options: readonly { value: T; label: ComponentChildren }[];
  value: T;
  onChange: (value: T) => void;
}

/** One of a few, side by side; arrows change it. */
export function Choice<T extends string>({ label, hideLabel = false, options, value, onChange }: ChoiceProps<T>) {
  const name = useId();
  return (
    <fieldset class="ui-choice">
      <legend class={hideLabel ? "ui-hidden" : "ui-label"}>{label}</legend>
      <div>
        {options.map((option) => (
          <label key={option.value}>
            <input
              type="radio"
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => onChange(option.value)}
            />
            {option.label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export interface CheckProps {
  label: ComponentChildren;
  checked: boolean;
  onChange: (checked: boolean) => void;
  disabled?: boolean;
}

export function Check({ label, checked, onChange, disabled = false }: CheckProps) {
  return (
    <label class="ui-check">
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />
      <span>{label}</span>
    </label>
  );
}
