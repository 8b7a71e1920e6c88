import { ago, inFull } from "../words.ts";
import { useNow } from "./useNow.ts";

const AGAIN_S = 20;

/** How long ago something was, and by the clock for those who ask. */
export function Age({ at }: { readonly at: string }) {
  const now = useNow(AGAIN_S);
  return (
    <time dateTime={at} title={inFull(at)}>
      {ago(at, now)}
    </time>
  );
}
