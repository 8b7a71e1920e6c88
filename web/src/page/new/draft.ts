/** The explanation that is being asked for; it stays while other views are looked at. */

import { signal } from "@preact/signals";

import type { Catalogue, ExplanationJob, JsonValue, MethodView, ModelView, Upload } from "../api/index.ts";
import { type Control, controlsOf, readAll, textsOf } from "./schema.ts";

/** A picture that was chosen: one of the reader's own, or of an earlier explanation. */
export interface Picture {
  /** What is shown of it; null: nothing can be. */
  readonly url: string | null;
  readonly name: string;
  readonly file: Blob | null;
  /** As the service has it; null until it has. */
  readonly upload: Upload | null;
}

export interface Draft {
  readonly picture: Picture | null;
  readonly caption: string;
  /** Null: the first that a worker serves. */
  readonly model: string | null;
  readonly method: string;
  /** Texts of the parameters' fields that are not as they were to begin with, by method. */
  readonly texts: { readonly [method: string]: { readonly [name: string]: string } };
  readonly metrics: readonly string[];
}

const EMPTY: Draft = { picture: null, caption: "", model: null, method: "fixlip", texts: {}, metrics: [] };

export const draft = signal<Draft>(EMPTY);

/** Change a part of the draft. */
export function change(part: Partial<Draft>): void {
  draft.value = { ...draft.value, ...part };
}

/** The model that is asked; undefined where there is none. */
export function modelOf({ model }: Draft, { models }: Catalogue): ModelView | undefined {
  return models.find(({ id }) => id === model) ?? models.find(({ live }) => live) ?? models[0];
}

/** The method that is asked for. */
export function methodOf({ method }: Draft, { methods }: Catalogue): MethodView | undefined {
  return methods.find(({ name }) => name === method) ?? methods[0];
}

const known = new WeakMap<MethodView, readonly Control[]>();

/** The controls of a method's parameters. */
export function controls(method: MethodView): readonly Control[] {
  const found = known.get(method) ?? controlsOf(method.parameters);
  known.set(method, found);
  return found;
}

/** The draft that asks for an earlier job's explanation again; its picture stays to be chosen. */
export function draftOf(job: ExplanationJob, { methods }: Catalogue): Draft {
  const method = methods.find(({ name }) => name === job.method);
  const texts = method ? textsOf(controls(method), job.params) : {};
  return {
    ...EMPTY,
    caption: job.input.caption,
    model: job.model.id,
    method: job.method,
    texts: { [job.method]: texts },
    metrics: job.evaluate,
  };
}

/** What the draft asks for, but for the picture; and what is wrong with it, by field. */
export function readDraft(
  { picture, caption, method, texts }: Draft,
  view: MethodView | undefined,
): { readonly params: Record<string, JsonValue>; readonly problems: Record<string, string> } {
  const { params, problems } = readAll(view ? controls(view) : [], texts[method] ?? {});
  const found: Record<string, string> = {};
  if (picture === null) found.image = "Choose a picture.";
  if (caption.trim() === "") found.caption = "Write what the picture shows, or what it does not.";
  for (const [name, problem] of Object.entries(problems)) found[`params.${name}`] = problem;
  return { params, problems: found };
}
