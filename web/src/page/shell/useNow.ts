import { useEffect, useState } from "preact/hooks";

/** The time, milliseconds since the epoch, again every `everyS` seconds; it stands still where that is null. */
export function useNow(everyS: number | null): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (everyS === null) return;
    const timer = setInterval(() => setNow(Date.now()), 1000 * everyS);
    return () => clearInterval(timer);
  }, [everyS]);
  return now;
}
