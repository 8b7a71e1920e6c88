import { useEffect, useRef, useState } from "preact/hooks";

import { Button, Check, Field } from "../../ui/index.ts";
import { submitBatch } from "../api/batches.ts";
import { ApiProblem, type Catalogue, getCatalogue } from "../api/index.ts";
import { fragmentOf, navigate } from "../routing.ts";
import { Failure } from "../shell/Failure.tsx";
import { useLoaded } from "../shell/useLoaded.ts";
import { Scrolls } from "../tables/Scrolls.tsx";
import { EMPTY_WISH, formOf, newKey, type Wish } from "./submission.ts";

/** Submits a manifest, with a zip of the pictures that it names. */
export function SubmitBatch() {
  const { value: catalogue, error, reload } = useLoaded("catalogue", getCatalogue);
  const [wish, setWish] = useState<Wish>(EMPTY_WISH);
  const [problem, setProblem] = useState<Error | null>(null);
  const [isSending, setIsSending] = useState(false);
  const key = useRef<string | null>(null);
  const sending = useRef<AbortController | null>(null);
  useEffect(() => () => sending.current?.abort(), []);
  const change = (changed: Partial<Wish>): void => {
    key.current = null; // another wish is another submission
    setWish({ ...wish, ...changed });
  };
  const send = (event: Event): void => {
    event.preventDefault();
    const form = formOf(wish);
    if (form === null) return;
    key.current ??= newKey();
    setIsSending(true);
    setProblem(null);
    const stop = new AbortController();
    sending.current = stop;
    submitBatch(form, key.current, stop.signal)
      .then((batch) => navigate(fragmentOf(`batches/${batch.id}`)))
      .catch((error) => {
        if (!stop.signal.aborted) setProblem(error); // else the reader has gone elsewhere
      })
      .finally(() => setIsSending(false));
  };
  return (
    <form class="submit-batch" onSubmit={send} aria-label="Submit a batch">
      <Files onChange={change} />
      {error && <Failure error={error} onRetry={reload} />}
      {catalogue && <Ways catalogue={catalogue} wish={wish} onChange={change} />}
      {problem !== null && <Refusal error={problem} />}
      <div class="ui-actions">
        <Button kind="primary" type="submit" disabled={wish.manifest === null || isSending}>
          {isSending ? "Sending …" : "Submit"}
        </Button>
        {wish.manifest === null && <span class="ui-hint">Choose a manifest first.</span>}
      </div>
    </form>
  );
}

interface PartProps {
  readonly onChange: (changed: Partial<Wish>) => void;
}

function Files({ onChange }: PartProps) {
  const first = (input: HTMLInputElement): File | null => input.files?.[0] ?? null;
  return (
    <div class="submit-files">
      <Field label="Manifest" hint="A table of the columns image and caption (.csv), or .json, .jsonl">
        {(control) => (
          <input
            {...control}
            class="ui-input"
            type="file"
            accept=".csv,.json,.jsonl,.ndjson"
            onChange={(event) => onChange({ manifest: first(event.currentTarget) })}
          />
        )}
      </Field>
      <Field label="Pictures" hint="A zip of the files that the manifest names">
        {(control) => (
          <input
            {...control}
            class="ui-input"
            type="file"
            accept=".zip"
            onChange={(event) => onChange({ images: first(event.currentTarget) })}
          />
        )}
      </Field>
    </div>
  );
}

function Ways({ catalogue, wish, onChange }: PartProps & { catalogue: Catalogue; wish: Wish }) {
  const live = catalogue.models.filter((model) => model.live).map((model) => ({ name: model.id, title: model.id }));
  return (
    <div class="submit-ways">
      <Choices label="Models" options={live} chosen={wish.models} onChosen={(models) => onChange({ models })} />
      <Choices
        label="Methods"
        options={catalogue.methods}
        chosen={wish.methods}
        onChosen={(methods) => onChange({ methods })}
      />
      <Choices
        label="Metrics"
        options={catalogue.metrics}
        chosen={wish.evaluate}
        onChosen={(evaluate) => onChange({ evaluate })}
      />
      <p class="ui-hint">
        Every pair is explained by each model with each method. With neither chosen, the lines of the manifest say
        themselves how they are explained.
      </p>
    </div>
  );
}

interface ChoicesProps {
  readonly label: string;
  readonly options: readonly { readonly name: string; readonly title: string }[];
  readonly chosen: readonly string[];
  readonly onChosen: (chosen: readonly string[]) => void;
}

function Choices({ label, options, chosen, onChosen }: ChoicesProps) {
  return (
    <fieldset>
      <legend class="ui-label">{label}</legend>
      {options.map(({ name, title }) => (
        <div key={name} title={title}>
          <Check
            label={name}
            checked={chosen.includes(name)}
            onChange={(isOn) => onChosen(isOn ? [...chosen, name] : chosen.filter((each) => each !== name))}
          />
        </div>
      ))}
    </fieldset>
  );
}

/** What the service says is wrong, line by line. */
function Refusal({ error }: { error: Error }) {
  const faults = error instanceof ApiProblem ? error.errors : [];
  return (
    <>
      <Failure error={error} />
      {faults.length > 0 && (
        <Scrolls label="What is wrong">
          <table class="faults">
            <caption>What is wrong; lines are counted from 0, without the head</caption>
            <thead>
              <tr>
                <th scope="col">Where</th>
                <th scope="col">What</th>
              </tr>
            </thead>
            <tbody>
              {faults.map((fault) => (
                <tr key={`${fault.field} ${fault.code}`}>
                  <th scope="row">
                    <code>{fault.field}</code>
                  </th>
                  <td>{fault.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Scrolls>
      )}
    </>
  );
}
