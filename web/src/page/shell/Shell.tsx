import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";

import { Button, ThemeChoice } from "../../ui/index.ts";
import { apiKey, forgetKey } from "../api/index.ts";
import { currentRoute, fragmentOf, type Route } from "../routing.ts";
import { ConnectionBanner } from "./ConnectionBanner.tsx";
import { KeyDialog } from "./KeyDialog.tsx";
import { pending } from "./useLoaded.ts";

const PLACES: readonly { readonly name: string; readonly path: string; readonly views: readonly Route["view"][] }[] = [
  { name: "New", path: "", views: ["new"] },
  { name: "Explanations", path: "explanations", views: ["explanations", "explanation", "compare"] },
  { name: "Batches", path: "batches", views: ["batches", "batch"] },
];

/** What surrounds every view. */
export function Shell({ children }: { readonly children: ComponentChildren }) {
  const main = useRef<HTMLElement>(null);
  const skip = (): void => main.current?.focus();
  return (
    <>
      <button type="button" class="page-skip" onClick={skip}>
        Skip to the content
      </button>
      <Header />
      <ConnectionBanner />
      <KeyDialog />
      <main ref={main} tabIndex={-1} aria-busy={pending.value > 0}>
        {children}
      </main>
      <Footer />
    </>
  );
}

function Header() {
  const { view } = currentRoute.value;
  return (
    <header class="page-header">
      <a class="page-brand" href={fragmentOf("")}>
        FIxLIP
      </a>
      <nav aria-label="Page">
        {PLACES.map(({ name, path, views }) => (
          <a key={name} href={fragmentOf(path)} aria-current={views.includes(view) ? "page" : undefined}>
            {name}
          </a>
        ))}
        <a href="docs/">API</a>
      </nav>
      <ThemeChoice />
    </header>
  );
}

function Footer() {
  const isForgotten = useSignal(false);
  const forget = (): void => {
    forgetKey();
    isForgotten.value = true;
  };
  if (apiKey.value === null) {
    return <footer class="page-footer">{isForgotten.value && <p role="status">The API key is forgotten.</p>}</footer>;
  }
  return (
    <footer class="page-footer">
      <p>
        Requests bear an API key.{" "}
        <Button kind="quiet" onClick={forget}>
          Forget it
        </Button>
      </p>
    </footer>
  );
}
