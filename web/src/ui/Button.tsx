import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type" | "class"> {
  kind?: "plain" | "primary" | "quiet" | "danger";
  type?: "button" | "submit";
  children: ComponentChildren;
}

export function Button({ kind = "plain", type = "button", children, ...rest }: ButtonProps) {
  return (
    <button {...rest} type={type} class={`ui-button ui-button-${kind}`}>
      {children}
    </button>
  );
}

const TOLD_MS = 2000;

/** Puts `text` into the clipboard, and says so. */
export function CopyButton({ text, label = "Copy" }: { text: string | (() => string); label?: string }) {
  const [told, tell] = useState<string | null>(null);
  useEffect(() => {
    if (told === null) return;
    const timer = setTimeout(() => tell(null), TOLD_MS);
    return () => clearTimeout(timer);
  }, [told]);
  const copy = async () => tell((await copied(typeof text === "string" ? text : text())) ? "Copied" : "Could not copy");
  return (
    <Button kind="quiet" onClick={copy}>
      <span aria-live="polite">{told ?? label}</span>
    </Button>
  );
}

async function copied(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // In files, sandboxes and pages without HTTPS only the old way is open.
    return copiedFromField(text);
  }
}

function copiedFromField(text: string): boolean {
  const focused = document.activeElement;
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "ui-offscreen";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return done;
}
