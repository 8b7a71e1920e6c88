import { useEffect, useState } from "preact/hooks";
import { type Backdrop, loadBackdrop } from "./backdrop.ts";

/** The picture, ready to be drawn over: null while it loads, "failed" where it cannot be read. */
export function useBackdrop(url: string): Backdrop | "failed" | null {
  const [loaded, setLoaded] = useState<{ url: string; backdrop: Backdrop | "failed" } | null>(null);
  useEffect(() => {
    let left = false;
    const settle = (backdrop: Backdrop | "failed") => {
      if (!left) setLoaded({ url, backdrop });
    };
    loadBackdrop(url).then(settle, () => settle("failed"));
    return () => {
      left = true;
    };
  }, [url]);
  return loaded?.url === url ? loaded.backdrop : null;
}
