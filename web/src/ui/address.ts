/** The address as a view changes it while a slider is drawn: browsers refuse more than some hundred changes in a row. */

const AT_ONCE = 40;
const EVERY_MS = 400;

let spare = AT_ONCE;
let counted = 0;
let coming: ReturnType<typeof setTimeout> | undefined;

/** Show another fragment, without a step in the history: at once, or, after many changes, the last of them soon. */
export function replaceFragment(fragment: string): void {
  keepFragment();
  const now = performance.now();
  spare = Math.min(AT_ONCE, spare + (now - counted) / EVERY_MS);
  counted = now;
  if (spare >= 1) {
    spare -= 1;
    history.replaceState(null, "", fragment);
    return;
  }
  const before = location.href;
  coming = setTimeout(() => {
    if (location.href === before) history.replaceState(null, "", fragment); // else the reader has gone elsewhere
  }, EVERY_MS);
}

/** Leave the address as it is: what was still to be shown in it is of a view that is left. */
export function keepFragment(): void {
  clearTimeout(coming);
}
