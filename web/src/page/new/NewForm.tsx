import "./new.css";

import { useRef } from "preact/hooks";

import { Button, Field } from "../../ui/index.ts";
import type { Catalogue } from "../api/index.ts";
import { fragmentOf, fragmentOfJob, navigate } from "../routing.ts";
import { Failure, sentence } from "../shell/Failure.tsx";
import { takesBoxes } from "./boxes.ts";
import { change, draft, methodOf, modelOf } from "./draft.ts";
import { Examples } from "./Examples.tsx";
import { MethodField } from "./MethodField.tsx";
import { MetricsField } from "./MetricsField.tsx";
import { ModelField } from "./ModelField.tsx";
import { Parameters } from "./Parameters.tsx";
import { PictureField } from "./PictureField.tsx";
import { pictureError } from "./picture.ts";
import { type Sending, useSubmission } from "./useSubmission.ts";
import { costWords } from "./words.ts";

interface NewFormProps {
  readonly catalogue: Catalogue;
  /** The explanation that the new one is to be held against; it is of the same pair. */
  readonly comparedWith: string | null;
}

/** The form for an explanation. */
export function NewForm({ catalogue, comparedWith }: NewFormProps) {
  const form = useRef<HTMLFormElement>(null);
  const { send, isSending, problems, error } = useSubmission(form, catalogue, ({ id }) => {
    navigate(comparedWith ? fragmentOf("compare", { explanations: `${comparedWith},${id}` }) : fragmentOfJob(id));
  });
  const hurry = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.current?.requestSubmit();
  };
  const noPicture = draft.value.picture ? null : (problems.image ?? null);
  return (
    <form ref={form} class="new-form" noValidate onSubmit={send} onKeyDown={hurry}>
      <div class="new-pair">
        <PictureField
          error={pictureError.value ? sentence(pictureError.value.message) : noPicture}
          isFixed={comparedWith !== null && draft.value.picture !== null}
          canHaveBoxes={takesBoxes(draft.value, catalogue)}
        />
        <CaptionField catalogue={catalogue} error={problems.caption ?? null} isFixed={comparedWith !== null} />
        <div class="ui-actions">
          <Button kind="primary" type="submit" disabled={isSending}>
            {isSending ? "Sending …" : comparedWith ? "Explain and compare" : "Explain"}
          </Button>
          <p class="new-cost">{costWords(draft.value, catalogue)}</p>
        </div>
        {error && <Failure error={error} />}
        {comparedWith === null && <Examples />}
      </div>
      <Settings catalogue={catalogue} problems={problems} />
    </form>
  );
}

interface CaptionFieldProps {
  readonly catalogue: Catalogue;
  readonly error: string | null;
  readonly isFixed: boolean;
}

function CaptionField({ catalogue, error, isFixed }: CaptionFieldProps) {
  const model = modelOf(draft.value, catalogue);
  const isLong = model && draft.value.caption.split(/\s+/).length > model.max_tokens;
  const hint = isLong ? `${model.id} reads at most ${model.max_tokens} tokens: this may be too long.` : undefined;
  return (
    <Field label="Caption" hint={error ? undefined : hint} error={error}>
      {(field) => (
        <textarea
          {...field}
          class="ui-input"
          rows={2}
          dir="auto"
          placeholder="a dog on a red sofa"
          readOnly={isFixed}
          value={draft.value.caption}
          onInput={(event) => change({ caption: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}

interface SettingsProps {
  readonly catalogue: Catalogue;
  readonly problems: Sending["problems"];
}

function Settings({ catalogue, problems }: SettingsProps) {
  const method = methodOf(draft.value, catalogue);
  return (
    <div class="new-settings">
      <ModelField catalogue={catalogue} error={problems.model ?? null} />
      <MethodField catalogue={catalogue} error={problems.method ?? null} />
      {method && <Parameters method={method} problems={problems} />}
      <MetricsField metrics={catalogue.metrics} error={problems.evaluate ?? null} />
    </div>
  );
}
