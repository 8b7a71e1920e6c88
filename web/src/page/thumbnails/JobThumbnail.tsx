import { useEffect, useRef, useState } from "preact/hooks";

import { Thumbnail } from "../../viewer/index.ts";
import { getReport, imageUrl, pathOf } from "../api/index.ts";
import { Turns } from "./turns.ts";

import "./thumbnails.css";

interface Drawn {
  readonly report: Awaited<ReturnType<typeof getReport>>;
  readonly url: string;
}

const AHEAD = "200px";
const turns = new Turns(4);

async function load(id: string, signal: AbortSignal): Promise<Drawn> {
  const report = await getReport(id, signal, false);
  return { report, url: await imageUrl(pathOf(id, "view.png"), { signal }) };
}

/** The picture of a job that has succeeded beneath its map, fetched once it comes into sight. */
export function JobThumbnail({ id, size = 64 }: { id: string; size?: number }) {
  const place = useRef<HTMLDivElement>(null);
  const [drawn, setDrawn] = useState<Drawn | null>(null);
  useEffect(() => {
    const stop = new AbortController();
    let url: string | null = null;
    const watch = new IntersectionObserver(
      (entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        watch.disconnect();
        turns
          .run(() => load(id, stop.signal), stop.signal)
          .then((loaded) => {
            url = loaded.url;
            if (stop.signal.aborted) URL.revokeObjectURL(url);
            else setDrawn(loaded);
          })
          .catch(() => undefined); // a picture less; what is wrong is told where the job is
      },
      { rootMargin: AHEAD },
    );
    if (place.current) watch.observe(place.current);
    return () => {
      watch.disconnect();
      stop.abort();
      setDrawn(null);
      if (url) URL.revokeObjectURL(url);
    };
  }, [id]);
  return (
    <div class="job-thumbnail" style={{ width: `${size}px`, height: `${size}px` }} ref={place}>
      {drawn && <Thumbnail document={drawn.report} imageUrl={drawn.url} size={size} />}
    </div>
  );
}
