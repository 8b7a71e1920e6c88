/** The API key: kept for this tab, or on this device if its owner wants that; never part of an address. */

import { signal } from "@preact/signals";

/** Why a key is asked for; null as long as none is. */
export const keyWanted = signal<string | null>(null);

const NAME = `fixlip.key:${location.pathname}`;
const waiting = new Set<() => void>();

/** The key, or null where none has been given. */
export const apiKey = signal<string | null>(stored());

function stored(): string | null {
  return attempt(() => sessionStorage.getItem(NAME) ?? localStorage.getItem(NAME)) ?? null;
}

/** Undefined where the reader lets pages keep nothing: the key is then forgotten with the page. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** Use a key from now on, and repeat the requests that wait for one. */
export function giveKey(key: string, isRemembered: boolean): void {
  forgetKey();
  attempt(() => (isRemembered ? localStorage : sessionStorage).setItem(NAME, key));
  apiKey.value = key;
  keyWanted.value = null;
  for (const wake of waiting) wake();
}

/** Forget the key, on this device too. */
export function forgetKey(): void {
  attempt(() => {
    sessionStorage.removeItem(NAME);
    localStorage.removeItem(NAME);
  });
  apiKey.value = null;
}

/** Ask for a key, and wait until there is one. */
export function newKey(why: string, signal: AbortSignal): Promise<void> {
  keyWanted.value = why;
  return new Promise((resolve, reject) => {
    const done = (): void => {
      waiting.delete(wake);
      signal.removeEventListener("abort", stop);
    };
    const wake = (): void => {
      done();
      resolve();
    };
    const stop = (): void => {
      done();
      reject(signal.reason);
    };
    waiting.add(wake);
    signal.addEventListener("abort", stop);
  });
}
