import { useRef } from "preact/hooks";

import { Button, Check, Field, type FieldControl } from "../../ui/index.ts";
import { type Control, expected } from "./schema.ts";

interface ParameterFieldProps {
  readonly control: Control;
  readonly text: string;
  readonly error: string | null;
  readonly onText: (text: string) => void;
}

/** A parameter of a method. */
export function ParameterField(props: ParameterFieldProps) {
  const { control, text, error, onText } = props;
  if (control.kind === "number") return <NumberField {...props} />;
  return (
    <Field label={control.title} hint={control.description} error={error}>
      {(field) =>
        control.kind === "choice" ? (
          <select {...field} class="ui-input" value={text} onChange={(event) => onText(event.currentTarget.value)}>
            {control.isNullable && <option value="">by default</option>}
            {control.words.map((word) => (
              <option key={word}>{word}</option>
            ))}
          </select>
        ) : (
          <JsonInput field={field} text={text} onText={onText} />
        )
      }
    </Field>
  );
}

interface JsonInputProps {
  readonly field: FieldControl;
  readonly text: string;
  readonly onText: (text: string) => void;
}

/** A value that is written out, or read from a file. */
function JsonInput({ field, text, onText }: JsonInputProps) {
  const input = useRef<HTMLInputElement>(null);
  const take = async (): Promise<void> => {
    const file = input.current?.files?.[0];
    if (file) onText((await file.text()).trim());
  };
  return (
    <>
      <textarea
        {...field}
        class="ui-input new-json"
        rows={2}
        spellcheck={false}
        placeholder="none"
        value={text}
        onInput={(event) => onText(event.currentTarget.value)}
      />
      <input ref={input} hidden type="file" accept=".json,application/json" onChange={take} />
      <div class="ui-actions">
        <Button kind="quiet" onClick={() => input.current?.click()}>
          Read from a file
        </Button>
      </div>
    </>
  );
}

/** A number; where a word may stand for one, a box beside it takes its place. */
function NumberField({ control, text, error, onText }: ParameterFieldProps) {
  const isWord = control.words.includes(text);
  return (
    <div class="new-number">
      <Field label={control.title} hint={`${control.description} ${hintOf(control)}`} error={error}>
        {(field) => (
          <input
            {...field}
            class="ui-input"
            inputMode={control.isInteger ? "numeric" : "decimal"}
            placeholder={control.isNullable ? "by default" : ""}
            disabled={isWord}
            value={isWord ? "" : text}
            onInput={(event) => onText(event.currentTarget.value)}
          />
        )}
      </Field>
      {control.words.map((word) => (
        <Check
          key={word}
          label={`${control.title}: ${word}`}
          checked={text === word}
          onChange={(checked) => onText(checked ? word : control.initial)}
        />
      ))}
    </div>
  );
}

function hintOf(control: Control): string {
  const text = expected(control);
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
