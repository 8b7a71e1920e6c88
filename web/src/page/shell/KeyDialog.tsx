import { useSignal } from "@preact/signals";

import { Button, Check, Dialog, Field, Problem } from "../../ui/index.ts";
import { apiKey, giveKey, keyWanted } from "../api/index.ts";
import { sentence } from "./Failure.tsx";

/** Asks for an API key as soon as the service does; the requests that wait for it go on then. */
export function KeyDialog() {
  const isPutOff = useSignal(false);
  const why = keyWanted.value;
  if (why === null) return null;
  if (isPutOff.value) {
    return (
      <div class="page-asks">
        <Problem title="The service asks for a key" level="warn" detail={sentence(why)}>
          <Button
            onClick={() => {
              isPutOff.value = false;
            }}
          >
            Enter an API key
          </Button>
        </Problem>
      </div>
    );
  }
  return (
    <Dialog
      open
      title="The service asks for a key"
      onClose={() => {
        isPutOff.value = keyWanted.value !== null;
      }}
    >
      <KeyForm why={why} />
    </Dialog>
  );
}

function KeyForm({ why }: { readonly why: string }) {
  const key = useSignal("");
  const isRemembered = useSignal(false);
  const give = (event: Event): void => {
    event.preventDefault();
    if (key.value.trim()) giveKey(key.value.trim(), isRemembered.value);
  };
  return (
    <form class="page-key" onSubmit={give}>
      <p>
        This service answers requests that bear an API key. Its operator makes one with <code>fixlip keys create</code>.
      </p>
      <Field
        label="API key"
        hint="It is sent to this service alone, and is never part of an address."
        error={apiKey.value === null ? null : sentence(why)}
      >
        {(control) => (
          <input
            {...control}
            class="ui-input"
            type="password"
            autocomplete="off"
            spellcheck={false}
            autofocus
            placeholder="fxl_…"
            value={key.value}
            onInput={(event) => {
              key.value = event.currentTarget.value;
            }}
          />
        )}
      </Field>
      <Check
        label="Remember it on this device; otherwise, in this tab alone"
        checked={isRemembered.value}
        onChange={(checked) => {
          isRemembered.value = checked;
        }}
      />
      <div class="ui-actions">
        <Button kind="primary" type="submit">
          Use this key
        </Button>
      </div>
    </form>
  );
}
