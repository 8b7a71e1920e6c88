/** Controls for a method's parameters, read from their JSON schema. */

import type { JsonValue } from "../api/types.ts";

/** A parameter as a form shows it. */
export interface Control {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** `choice`: one of `words`. `number`: a number, or one of `words`. `json`: anything else, written out. */
  readonly kind: "choice" | "number" | "json";
  readonly words: readonly string[];
  readonly isInteger: boolean;
  readonly isNullable: boolean;
  readonly range: Range;
  /** What the field has to begin with. */
  readonly initial: string;
}

interface Range {
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
}

interface Schema extends Range {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly enum?: readonly JsonValue[];
  readonly const?: JsonValue;
  readonly default?: JsonValue;
  readonly anyOf?: readonly Schema[];
}

/** What a field's text stands for, or what is wrong with it. */
export type Reading = { readonly value: JsonValue } | { readonly problem: string };

/** The controls of a JSON schema, in its order. */
export function controlsOf(schema: { readonly [name: string]: JsonValue }): readonly Control[] {
  const properties = (schema.properties ?? {}) as unknown as Record<string, Schema>;
  return Object.entries(properties).map(([name, property]) => controlOf(name, property));
}

function controlOf(name: string, schema: Schema): Control {
  const types = schema.anyOf ?? [schema];
  const number = types.find(({ type, enum: words }) => !words && (type === "integer" || type === "number"));
  const words = types.flatMap(({ enum: some, const: one }) => some ?? (one === undefined ? [] : [one])).map(String);
  return {
    name,
    title: schema.title ?? name,
    description: schema.description ?? "",
    kind: number ? "number" : words.length ? "choice" : "json",
    words,
    isInteger: number?.type === "integer",
    isNullable: types.some(({ type }) => type === "null"),
    range: number ?? {},
    initial: textOf(schema.default),
  };
}

/** A value as its field shows it; null is an empty field. */
export function textOf(value: JsonValue | undefined): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The value that a field's text stands for. */
export function read(control: Control, text: string): Reading {
  const plain = text.trim();
  if (plain === "" && control.isNullable) return { value: null };
  if (control.kind === "json") return readJson(plain);
  if (control.kind === "choice") return { value: /^\d+$/.test(plain) ? Number(plain) : plain };
  if (control.words.includes(plain)) return { value: plain };
  const value = plain === "" ? Number.NaN : Number(plain);
  return isWithin(value, control) ? { value } : { problem: `must be ${expected(control)}` };
}

function readJson(text: string): Reading {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return { problem: "must be JSON, such as [[0, 0, 64, 64]]" };
  }
}

function isWithin(value: number, { isInteger, range }: Control): boolean {
  if (!Number.isFinite(value) || (isInteger && !Number.isInteger(value))) return false;
  const { minimum = -Infinity, maximum = Infinity, exclusiveMinimum = -Infinity, exclusiveMaximum = Infinity } = range;
  return value >= minimum && value <= maximum && value > exclusiveMinimum && value < exclusiveMaximum;
}

/** What a number's field takes, in words: `a whole number from 8 to 65,536, or auto`. */
export function expected({ isInteger, range, words }: Control): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = range;
  const text = [
    isInteger ? "a whole number" : "a number",
    minimum === undefined ? null : `from ${minimum.toLocaleString("en")}`,
    exclusiveMinimum === undefined ? null : `above ${exclusiveMinimum.toLocaleString("en")}`,
    maximum === undefined ? null : `${minimum === undefined ? "up to" : "to"} ${maximum.toLocaleString("en")}`,
    exclusiveMaximum === undefined ? null : `below ${exclusiveMaximum.toLocaleString("en")}`,
  ];
  return [text.filter(Boolean).join(" "), ...words].join(", or ");
}

/**
 * The parameters that a form's texts stand for: only those that are not as they were to begin with.
 *
 * @returns the parameters, and what is wrong by name.
 */
export function readAll(
  controls: readonly Control[],
  texts: { readonly [name: string]: string },
): { readonly params: Record<string, JsonValue>; readonly problems: Record<string, string> } {
  const params: Record<string, JsonValue> = {};
  const problems: Record<string, string> = {};
  for (const control of controls) {
    const text = texts[control.name];
    if (text === undefined || text.trim() === control.initial) continue;
    const reading = read(control, text);
    if ("problem" in reading) problems[control.name] = reading.problem;
    else params[control.name] = reading.value;
  }
  return { params, problems };
}

/** The texts of parameters that a job had, for the form that asks for it again; of a label map it has only a digest. */
export function textsOf(
  controls: readonly Control[],
  params: { readonly [name: string]: JsonValue },
): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const { name, initial, kind } of controls) {
    const value = params[name];
    const isDigest = kind === "json" && typeof value === "string";
    const text = textOf(value);
    if (name in params && !isDigest && text !== initial) texts[name] = text;
  }
  return texts;
}
