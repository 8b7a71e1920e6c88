/** What an explanation is, without any page: all that the views are made from. */
export * from "./document.ts";
export * from "./explanation.ts";
export * from "./scale.ts";
export * from "./state.ts";
export * from "./subsets.ts";
