import type { JSX } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import type { ReportDocument } from "../explanation/index.ts";
import { effectsLook } from "./look.ts";
import { modelOf } from "./model.ts";
import { paintMap, type Size } from "./paint.ts";
import { FixedSurface, type Paint } from "./surface.tsx";
import { useBackdrop } from "./use-backdrop.ts";
import "./viewer.css";
import "./printed.css";

interface ThumbnailProps {
  readonly document: ReportDocument;
  readonly imageUrl: string;
  /** Longer side, CSS pixels. */
  readonly size?: number;
}

/** The picture under its patches' main effects on a scale of their own, small; for lists, beside words that say what it is. */
export function Thumbnail({ document, imageUrl, size = 64 }: ThumbnailProps): JSX.Element {
  const model = useMemo(() => modelOf(document), [document]);
  const backdrop = useBackdrop(imageUrl);
  const { width, height } = document.image;
  const scale = size / Math.max(width, height);
  const place: Size = { width: Math.round(width * scale), height: Math.round(height * scale) };
  const paint = useCallback<Paint>(
    (context, within) => {
      if (backdrop && backdrop !== "failed") paintMap(context, within, model, effectsLook(model, "own"), backdrop);
    },
    [model, backdrop],
  );
  return (
    <span class="thumbnail" style={{ width: `${place.width}px`, height: `${place.height}px` }}>
      <FixedSurface class="layer" size={place} scale={globalThis.devicePixelRatio || 1} paint={paint} />
    </span>
  );
}
