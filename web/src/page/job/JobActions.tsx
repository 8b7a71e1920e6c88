import { useSignal } from "@preact/signals";

import { Button, CopyButton, Dialog, Popover } from "../../ui/index.ts";
import { apiKey, deleteJob, download, type ExplanationJob, pathOf } from "../api/index.ts";
import { fragmentOf, navigate } from "../routing.ts";
import { Failure } from "../shell/Failure.tsx";

/** What can be taken away of an explanation: a link, the report, files. */
export function JobTakeaways({ job }: { readonly job: ExplanationJob }) {
  return (
    <>
      <CopyButton text={() => location.href} label="Copy link" />
      <Report job={job} />
      <Downloads job={job} />
    </>
  );
}

/** What can be done next with an explanation that has ended. */
export function JobActions({ job }: { readonly job: ExplanationJob }) {
  const isDone = job.status === "succeeded";
  return (
    <section class="job-actions" aria-label="What next">
      {isDone && (
        <a class="ui-button" href={fragmentOf("", { from: job.id, compare: "yes" })}>
          Compare with another model or method
        </a>
      )}
      {isDone && (
        <a class="ui-button" href={fragmentOf("compare", { explanations: job.id })}>
          Compare with an earlier one
        </a>
      )}
      {isDone && (
        <a class="ui-button" href={fragmentOf("", { from: job.id })}>
          Explain again
        </a>
      )}
      {!job.batch_id && <Delete job={job} />}
    </section>
  );
}

/** The report as a page of its own. With a key it is saved, as a plain link would not bear it. */
function Report({ job }: { readonly job: ExplanationJob }) {
  const path = pathOf(job.id, "report.html");
  if (apiKey.value !== null) return <Download name={`${job.id}.html`} path={path} label="Report" />;
  return (
    <a class="ui-button ui-button-quiet" href={path} target="_blank" rel="noopener">
      Report
    </a>
  );
}

function Downloads({ job }: { readonly job: ExplanationJob }) {
  const files: readonly (readonly [label: string, below: string, name: string])[] = [
    ["Values, exact (npz)", "interactions.npz", "npz"],
    ["Values (JSON)", "interactions.json", "json"],
    ["Summary (JSON)", "result", "result.json"],
    ["Audit record (JSON)", "audit.json", "audit.json"],
    ...(job.evaluate.length ? [["Evaluation (JSON)", "evaluation.json", "evaluation.json"] as const] : []),
    ["Report (HTML)", "report.html", "html"],
  ];
  return (
    <Popover label="Downloads">
      <div class="job-downloads">
        <ul>
          {files.map(([label, below, suffix]) => (
            <li key={below}>
              <Download label={label} path={pathOf(job.id, below)} name={`${job.id}.${suffix}`} />
            </li>
          ))}
        </ul>
        <h3>Maps, as figures</h3>
        <ul>
          {job.output?.maps.map(({ name, title }) => (
            <li key={name}>
              <span>
                <bdi>{title}</bdi>
              </span>
              {["png", "svg"].map((kind) => (
                <Download
                  key={kind}
                  label={kind.toUpperCase()}
                  title={`${title}, ${kind.toUpperCase()}`}
                  path={pathOf(job.id, `maps/${encodeURIComponent(name)}.${kind}`)}
                  name={`${job.id}-${name}.${kind}`}
                />
              ))}
            </li>
          ))}
        </ul>
      </div>
    </Popover>
  );
}

interface DownloadProps {
  readonly label: string;
  readonly title?: string;
  readonly path: string;
  readonly name: string;
}

function Download({ label, title = label, path, name }: DownloadProps) {
  const error = useSignal<Error | null>(null);
  const save = (): void => {
    error.value = null;
    download(path, name).catch((reason) => {
      error.value = reason;
    });
  };
  return (
    <>
      <Button kind="quiet" aria-label={title} onClick={save}>
        {label}
      </Button>
      {error.value && <span class="ui-error">{error.value.message}</span>}
    </>
  );
}

function Delete({ job }: { readonly job: ExplanationJob }) {
  const isAsked = useSignal(false);
  const error = useSignal<Error | null>(null);
  const ask = (asked: boolean) => (): void => {
    isAsked.value = asked;
  };
  const remove = async (): Promise<void> => {
    try {
      await deleteJob(job.id);
      navigate(fragmentOf("explanations"));
    } catch (reason) {
      error.value = reason as Error;
    }
  };
  return (
    <>
      <Button kind="danger" onClick={ask(true)}>
        Delete
      </Button>
      <Dialog open={isAsked.value} title="Delete this explanation?" onClose={ask(false)}>
        <p>It is removed with all its files, at once and for good. Links to it lead nowhere then.</p>
        {error.value && <Failure error={error.value} />}
        <div class="ui-actions page-dialog-actions">
          <Button kind="danger" onClick={remove}>
            Delete it
          </Button>
          <Button onClick={ask(false)}>Keep it</Button>
        </div>
      </Dialog>
    </>
  );
}
