/** Which view the address asks for: all of it is in the fragment, so that the page may live anywhere. */

import { signal } from "@preact/signals";

import { keepFragment, replaceFragment } from "../ui/address.ts";

/** A view, and what follows `?` in the fragment. */
export interface Route {
  readonly view: "new" | "explanations" | "explanation" | "compare" | "batches" | "batch" | "unknown";
  readonly id: string;
  readonly query: URLSearchParams;
}

/** No encoding keeps these from leading elsewhere in the address of a request. */
const STEPS: ReadonlySet<string> = new Set([".", ".."]);

/** The route of a fragment, with or without its `#`. */
export function parseRoute(fragment: string): Route {
  const [path = "", query = ""] = splitOnce(fragment.replace(/^#/, ""));
  const [, view = "", part = "", ...rest] = path.split("/");
  const id = decoded(part);
  const route = (name: Route["view"]): Route => ({ view: name, id, query: new URLSearchParams(query) });
  if (rest.length > 0 || STEPS.has(id)) return route("unknown");
  if (view === "" && id === "") return route("new");
  if (view === "explanations") return route(id ? "explanation" : "explanations");
  if (view === "batches") return route(id ? "batch" : "batches");
  return route(view === "compare" && !id ? "compare" : "unknown");
}

/** The fragment of a path, `explanations/ID`, with a query. */
export function fragmentOf(path: string, query?: URLSearchParams | Record<string, string>): string {
  const text = query ? new URLSearchParams(query).toString() : "";
  return `#/${path}${text && `?${text}`}`;
}

/** Fragment of an explanation. */
export function fragmentOfJob(id: string, query?: URLSearchParams): string {
  return fragmentOf(`explanations/${encodeURIComponent(id)}`, query);
}

function splitOnce(text: string): readonly string[] {
  const at = text.indexOf("?");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Where the page is now. */
export const currentRoute = signal<Route>({ view: "new", id: "", query: new URLSearchParams() });

/** Go to a fragment: a step in the browser's history, or, with `replace`, another state of this one. */
export function navigate(fragment: string, { replace = false } = {}): void {
  if (replace) {
    replaceFragment(fragment);
    currentRoute.value = parseRoute(fragment);
  } else {
    keepFragment();
    location.hash = fragment;
  }
}

/** Read the address now and whenever it changes. */
export function followAddress(): void {
  const read = (): void => {
    currentRoute.value = parseRoute(location.hash);
  };
  addEventListener("hashchange", read);
  read();
}
