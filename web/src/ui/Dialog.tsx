import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./Button.tsx";

export interface DialogProps {
  open: boolean;
  title: string;
  /** Asked for by the button, by Escape; `open` is then to become false. */
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialog; it keeps the focus, and gives it back where it came from. */
export function Dialog({ open, title, onClose, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open) return dialog.current?.close();
    dialog.current?.showModal();
    // What is asked for, rather than the button that closes.
    dialog.current?.querySelector<HTMLElement>("input, select, textarea")?.focus();
  }, [open]);
  useLayoutEffect(() => {
    const { current } = dialog;
    return () => current?.close(); // one that is just removed gives the focus to nobody
  }, []);
  return (
    <dialog class="ui-dialog" ref={dialog} aria-labelledby={id} onClose={onClose}>
      {open && (
        <>
          <header>
            <h2 id={id}>{title}</h2>
            <Button kind="quiet" onClick={onClose}>
              Close
            </Button>
          </header>
          {children}
        </>
      )}
    </dialog>
  );
}

const GAP_PX = 6;

/** A button that shows something beside itself; a tap elsewhere, or Escape, hides it. */
export function Popover({ label, children }: { label: ComponentChildren; children: ComponentChildren }) {
  const id = useId();
  const layer = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const place = () => {
    if (layer.current && button.current) beside(layer.current, button.current.getBoundingClientRect());
  };
  return (
    <>
      <button type="button" class="ui-button ui-button-quiet" popovertarget={id} ref={button}>
        {label}
      </button>
      <div class="ui-popover" popover="auto" id={id} ref={layer} onToggle={place}>
        {children}
      </div>
    </>
  );
}

/** Puts `layer` below `place`, or above where there is no room, within the window. */
function beside(layer: HTMLElement, place: DOMRect): void {
  const { width, height } = layer.getBoundingClientRect();
  const below = place.bottom + GAP_PX;
  const top = below + height <= window.innerHeight ? below : Math.max(GAP_PX, place.top - GAP_PX - height);
  layer.style.top = `${top}px`;
  layer.style.left = `${Math.max(GAP_PX, Math.min(place.left, window.innerWidth - width - GAP_PX))}px`;
}
