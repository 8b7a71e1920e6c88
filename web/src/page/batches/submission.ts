/** A batch as it is asked for by the form. */

export interface Wish {
  readonly manifest: File | null;
  readonly images: File | null;
  readonly models: readonly string[];
  readonly methods: readonly string[];
  readonly evaluate: readonly string[];
}

export const EMPTY_WISH: Wish = { manifest: null, images: null, models: [], methods: [], evaluate: [] };

/** The form that is sent; null without a manifest. */
export function formOf({ manifest, images, models, methods, evaluate }: Wish): FormData | null {
  if (manifest === null) return null;
  const form = new FormData();
  form.append("manifest", manifest);
  if (images !== null) form.append("images", images);
  if (models.length > 0) form.append("models", JSON.stringify(models));
  if (methods.length > 0) form.append("methods", JSON.stringify(methods.map((method) => ({ method }))));
  if (evaluate.length > 0) form.append("evaluate", JSON.stringify(evaluate));
  return form;
}

/** A name that no other submission has; `crypto.randomUUID` is not there without TLS. */
export function newKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
