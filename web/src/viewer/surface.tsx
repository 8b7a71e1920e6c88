import type { JSX, RefObject } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { contextOf } from "./backdrop.ts";
import type { Size } from "./paint.ts";

export type Paint = (context: CanvasRenderingContext2D, size: Size) => void;

/** The size of an element in CSS pixels, followed as it changes; null until it is laid out. */
export function useSize(element: RefObject<Element | null>): Size | null {
  const [size, setSize] = useState<Size | null>(null);
  useLayoutEffect(() => {
    const { current } = element;
    if (!current) return;
    const measure = () => {
      const { width, height } = current.getBoundingClientRect();
      setSize((before) => (before?.width === width && before.height === height ? before : { width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(current);
    return () => observer.disconnect();
  }, [element]);
  return size;
}

/** A canvas as large as its place and as fine as the screen; drawn anew when `paint` is another function. */
export function Surface({ class: name, paint }: { class: string; paint: Paint }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(canvas);
  useLayoutEffect(() => {
    if (canvas.current && size) draw(canvas.current, size, paint, globalThis.devicePixelRatio || 1);
  }, [size, paint]);
  return <canvas ref={canvas} class={name} aria-hidden="true" />;
}

/** A canvas of fixed pixels, for lists and for print: it can be drawn before it has a place. */
export function FixedSurface(props: { class: string; size: Size; scale: number; paint: Paint }): JSX.Element {
  const { size, scale, paint } = props;
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (canvas.current) draw(canvas.current, size, paint, scale);
  }, [size.width, size.height, scale, paint]);
  return <canvas ref={canvas} class={props.class} aria-hidden="true" />;
}

function draw(canvas: HTMLCanvasElement, size: Size, paint: Paint, scale: number): void {
  const [width, height] = [Math.max(1, Math.round(size.width * scale)), Math.max(1, Math.round(size.height * scale))];
  // Setting a canvas's size clears it, even to the same size.
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const context = contextOf(canvas);
  context.setTransform(width / size.width, 0, 0, height / size.height, 0, 0);
  if (size.width && size.height) paint(context, size);
}
