import { useEffect } from "preact/hooks";

const EVERY_MS = 3_000;

/** Call `refresh` now and again as long as something is under way, and the page is looked at. */
export function useRefresh(isUnderWay: boolean, refresh: () => void): void {
  useEffect(() => {
    if (!isUnderWay) return;
    const timer = setInterval(() => {
      if (!document.hidden) refresh();
    }, EVERY_MS);
    return () => clearInterval(timer);
  }, [isUnderWay, refresh]);
}
