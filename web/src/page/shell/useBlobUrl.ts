import { useEffect, useState } from "preact/hooks";

import { imageUrl } from "../api/index.ts";

/** The address of the picture at `path`, fetched with the key; null until it is there, and where it cannot be had. */
export function useBlobUrl(path: string | null): string | null {
  const [shown, setShown] = useState<{ path: string; url: string } | null>(null);
  useEffect(() => {
    if (path === null) return;
    const controller = new AbortController();
    let url: string | null = null;
    imageUrl(path, { signal: controller.signal }).then(
      (found) => {
        if (controller.signal.aborted) return URL.revokeObjectURL(found);
        url = found;
        setShown({ path, url });
      },
      () => undefined, // a picture that is not there is not drawn
    );
    return () => {
      controller.abort();
      if (url) URL.revokeObjectURL(url);
    };
  }, [path]);
  return shown?.path === path ? shown.url : null;
}
