import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

const waiting = new Set<() => void>();
let isGoing = false;

/**
 * Draws one after another of what stands in such places, so that the page answers in between.
 *
 * As soon as the page is to be printed, all that is left is drawn.
 */
export function InTurn({ children }: { children: ComponentChildren }) {
  const [isDrawn, setDrawn] = useState(false);
  useEffect(() => {
    if (isDrawn) return;
    const draw = () => {
      waiting.delete(draw);
      setDrawn(true);
    };
    waiting.add(draw);
    goOn();
    addEventListener("beforeprint", draw);
    return () => {
      waiting.delete(draw);
      removeEventListener("beforeprint", draw);
    };
  }, [isDrawn]);
  return isDrawn ? children : null;
}

function goOn(): void {
  if (isGoing) return;
  isGoing = true;
  setTimeout(() => {
    isGoing = false;
    const [draw] = waiting;
    draw?.();
    if (waiting.size) goOn();
  });
}
