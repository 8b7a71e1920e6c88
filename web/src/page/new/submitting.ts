/** From the draft to a job. */

import {
  ApiProblem,
  type Catalogue,
  type ExplanationJob,
  type FieldError,
  isPassing,
  type Submission,
  submit,
} from "../api/index.ts";
import { type Draft, methodOf, modelOf, readDraft } from "./draft.ts";
import { forgetUpload, uploaded } from "./picture.ts";

/** What came of submitting: a job, or what is wrong, by field and as a whole. */
export type Outcome =
  | { readonly job: ExplanationJob }
  | { readonly problems: { readonly [field: string]: string }; readonly error: Error | null };

let last: { readonly body: string; readonly key: string } | null = null;

/** Check the draft, send what it needs, and submit it; tried again unchanged, it is the same job. */
export async function submitDraft(draft: Draft, catalogue: Catalogue, signal: AbortSignal): Promise<Outcome> {
  const method = methodOf(draft, catalogue);
  const model = modelOf(draft, catalogue);
  const { params, problems } = readDraft(draft, method);
  if (Object.keys(problems).length || !draft.picture || !method || !model) return { problems, error: null };
  try {
    const image = await uploaded(draft.picture);
    const submission: Submission = {
      image_id: image.id,
      caption: draft.caption,
      model: model.id,
      method: method.name,
      params,
      evaluate: draft.metrics,
      metadata: { image_id: image.id },
    };
    const job = await submit(submission, keyFor(JSON.stringify(submission)), signal);
    last = null;
    return { job };
  } catch (error) {
    if (!isPassing(error)) last = null;
    if (error instanceof ApiProblem && error.code === "upload_not_found") forgetUpload();
    return failure(error);
  }
}

function keyFor(body: string): string {
  if (last?.body !== body) {
    const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID is not there without TLS
    last = { body, key: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
  }
  return last.key;
}

function failure(error: unknown): Outcome {
  const problems: Record<string, string> = {};
  const unplaced: FieldError[] = [];
  const told = error instanceof Error ? error : new Error(String(error));
  for (const entry of error instanceof ApiProblem ? error.errors : []) {
    const field = fieldOf(entry.field);
    if (field) problems[field] = problems[field] ? `${problems[field]}; ${entry.message}` : entry.message;
    else unplaced.push(entry);
  }
  const isPlaced = Object.keys(problems).length > 0 && unplaced.length === 0;
  return { problems, error: isPlaced ? null : told };
}

/** The field of the form that a field of the request is; null: it has none. */
export function fieldOf(field: string): string | null {
  const [head = "", name] = field.split(".");
  if (head === "params") return name ? `params.${name}` : "params";
  if (head === "image_id" || head === "image") return "image";
  return ["caption", "model", "method", "evaluate"].includes(head) ? head : null;
}
