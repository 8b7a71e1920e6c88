import { useSignal } from "@preact/signals";

import { type Box, boxBetween, MOST_BOXES } from "./boxes.ts";

interface BoxLayerProps {
  /** Width and height of the picture, pixels. */
  readonly size: readonly [number, number];
  readonly boxes: readonly Box[];
  /** Called with all boxes once one is drawn; null: none can be. */
  readonly onBoxes: ((boxes: readonly Box[]) => void) | null;
}

type Corner = readonly [number, number];

/** The boxes over the picture; dragging draws another. Who cannot drag writes them, in the parameter's field. */
export function BoxLayer({ size, boxes, onBoxes }: BoxLayerProps) {
  const drag = useSignal<{ readonly from: Corner; readonly to: Corner } | null>(null);
  const begin = (event: PointerEvent & { currentTarget: SVGSVGElement }): void => {
    if (!onBoxes || boxes.length >= MOST_BOXES) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const from = cornerOf(event, size);
    drag.value = { from, to: from };
  };
  const go = (event: PointerEvent & { currentTarget: SVGSVGElement }): void => {
    if (drag.value) drag.value = { from: drag.value.from, to: cornerOf(event, size) };
  };
  const end = (): void => {
    const drawn = drag.value && boxBetween(drag.value.from, drag.value.to, size);
    drag.value = null;
    if (drawn) onBoxes?.([...boxes, drawn]);
  };
  const drawn = drag.value && boxBetween(drag.value.from, drag.value.to, size);
  return (
    <svg
      class="new-boxes"
      data-drawing={onBoxes !== null}
      viewBox={`0 0 ${size[0]} ${size[1]}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={boxes.length === 1 ? "1 box" : `${boxes.length} boxes`}
      onPointerDown={begin}
      onPointerMove={go}
      onPointerUp={end}
      onPointerCancel={end}
    >
      {[...boxes, ...(drawn ? [drawn] : [])].map(([left, top, right, bottom]) => (
        <rect key={`${left} ${top} ${right} ${bottom}`} x={left} y={top} width={right - left} height={bottom - top} />
      ))}
    </svg>
  );
}

/** Where on the picture an event is. */
function cornerOf(event: PointerEvent & { currentTarget: SVGSVGElement }, [width, height]: Corner): Corner {
  const place = event.currentTarget.getBoundingClientRect();
  return [((event.clientX - place.left) / place.width) * width, ((event.clientY - place.top) / place.height) * height];
}
