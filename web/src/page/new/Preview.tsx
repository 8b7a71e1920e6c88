import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";

import { Button } from "../../ui/index.ts";
import { useBlobUrl } from "../shell/useBlobUrl.ts";
import { bytes } from "../words.ts";
import { BoxLayer } from "./BoxLayer.tsx";
import { boxesOf, setBoxes } from "./boxes.ts";
import { draft, type Picture } from "./draft.ts";

const HEIGHT_REM = 14;

interface PreviewProps {
  readonly picture: Picture;
  /** Whether the method takes boxes on the picture as players. */
  readonly canHaveBoxes: boolean;
}

/** The chosen picture, with the boxes on it. */
export function Preview({ picture, canHaveBoxes }: PreviewProps) {
  const isStored = picture.url !== null && !picture.url.startsWith("blob:");
  const fetched = useBlobUrl(isStored ? picture.url : null);
  const isDrawing = useSignal(false);
  const { upload, file } = picture;
  // What is stored of an earlier explanation is the crop that the model saw, in other pixels.
  const size = canHaveBoxes && upload && !isStored ? ([upload.width, upload.height] as const) : null;
  const length = upload?.bytes ?? file?.size;
  return (
    <figure>
      <Shown url={isStored ? fetched : picture.url}>
        {size && <BoxLayer size={size} boxes={boxesOf(draft.value)} onBoxes={isDrawing.value ? setBoxes : null} />}
      </Shown>
      <figcaption class="ui-hint">
        <bdi>{picture.name}</bdi>
        {upload && ` · ${upload.width} × ${upload.height} px`}
        {length !== undefined && ` · ${bytes(length)}`}
      </figcaption>
      {size && (
        <BoxTools
          isDrawing={isDrawing.value}
          onDrawing={(drawing) => {
            isDrawing.value = drawing;
          }}
        />
      )}
    </figure>
  );
}

interface ShownProps {
  readonly url: string | null;
  readonly children: ComponentChildren;
}

/** The picture, at the same height whatever its size; nothing, if the browser cannot show its kind. */
function Shown({ url, children }: ShownProps) {
  const unseen = useSignal<string | null>(null);
  const ratio = useSignal(1);
  if (!url || url === unseen.value) return null;
  return (
    <div class="new-canvas" style={{ width: `min(100%, ${HEIGHT_REM * ratio.value}rem)` }}>
      <img
        src={url}
        alt="What is to be explained"
        onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
          ratio.value = naturalWidth / naturalHeight || 1;
        }}
        onError={() => {
          unseen.value = url;
        }}
      />
      {children}
    </div>
  );
}

interface BoxToolsProps {
  readonly isDrawing: boolean;
  readonly onDrawing: (isDrawing: boolean) => void;
}

function BoxTools({ isDrawing, onDrawing }: BoxToolsProps) {
  const boxes = boxesOf(draft.value);
  return (
    <div class="ui-actions">
      <Button kind="quiet" aria-pressed={isDrawing} onClick={() => onDrawing(!isDrawing)}>
        {isDrawing ? "Drag over the picture" : "Draw boxes as players"}
      </Button>
      {boxes.length > 0 && (
        <Button kind="quiet" onClick={() => setBoxes(boxes.slice(0, -1))}>
          Remove the last
        </Button>
      )}
    </div>
  );
}
