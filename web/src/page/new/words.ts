/** What methods and metrics are called, and cost, in words. */

import type { Catalogue, MethodView } from "../api/index.ts";
import { count } from "../words.ts";
import { controls, type Draft, methodOf, modelOf } from "./draft.ts";

/** A title's name and what it stands for: `FIxLIP: faithful interactions` is cut at the colon. */
export function parted(title: string): { readonly name: string; readonly does: string } {
  const [name = title, ...does] = title.split(": ");
  const text = does.join(": ");
  return { name, does: text.charAt(0).toUpperCase() + text.slice(1) };
}

/** What an explanation costs by default: `512 passes`, `1 pass, 1 backward`. */
export function costOf({ cost }: MethodView): string {
  const forwards = cost.image_passes === 1 ? "1 pass" : `${count(cost.image_passes)} passes`;
  return cost.backward_passes ? `${forwards}, ${count(cost.backward_passes)} backward` : forwards;
}

/** What the draft costs, by its own budget where it has one. */
export function costWords(draft: Draft, catalogue: Catalogue): string {
  const [method, model] = [methodOf(draft, catalogue), modelOf(draft, catalogue)];
  if (!method || !model) return "";
  const budget = controls(method).find(({ name }) => name === "budget");
  const asked = budget ? (draft.texts[method.name]?.budget ?? budget.initial) : null;
  const cost =
    asked === null
      ? `about ${costOf(method)}`
      : asked === "auto"
        ? "as many passes as it takes"
        : `${/^\d+$/.test(asked) ? count(Number(asked)) : asked} passes`;
  return `${parted(method.title).name} on ${model.id}, ${cost} of the image tower`;
}
