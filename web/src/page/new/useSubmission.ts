import { useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

import type { Catalogue, ExplanationJob } from "../api/index.ts";
import { draft } from "./draft.ts";
import { pictureError } from "./picture.ts";
import { submitDraft } from "./submitting.ts";

/** A form's way to a job. */
export interface Sending {
  readonly send: (event: Event) => Promise<void>;
  readonly isSending: boolean;
  /** What is wrong, by field; and as a whole. */
  readonly problems: { readonly [field: string]: string };
  readonly error: Error | null;
}

/** Submit the draft when the form is; the first field that is wrong takes the focus. */
export function useSubmission(
  form: RefObject<HTMLFormElement | null>,
  catalogue: Catalogue,
  onJob: (job: ExplanationJob) => void,
): Sending {
  const problems = useSignal<Sending["problems"]>({});
  const error = useSignal<Error | null>(null);
  const sending = useSignal<AbortController | null>(null);
  useEffect(() => () => sending.value?.abort(), [sending]);
  const send = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (sending.value) return;
    const stop = new AbortController();
    sending.value = stop;
    const outcome = await submitDraft(draft.value, catalogue, stop.signal);
    if (stop.signal.aborted) return; // the reader has gone elsewhere
    sending.value = null;
    if ("job" in outcome) return onJob(outcome.job);
    problems.value = outcome.problems;
    error.value = outcome.error;
    if (draft.value.picture && outcome.problems.image) pictureError.value = new Error(outcome.problems.image);
    requestAnimationFrame(() => showFirst(form.current));
  };
  return { send, isSending: sending.value !== null, problems: problems.value, error: error.value };
}

function showFirst(form: HTMLFormElement | null): void {
  const invalid = form?.querySelector<HTMLElement>('[aria-invalid="true"], [data-invalid="true"]');
  invalid?.closest("details")?.setAttribute("open", "");
  invalid?.focus();
}
