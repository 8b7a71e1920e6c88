/** What a report is of, at a glance: the score, how it was explained, by which model, when, and the digests. */
import type { ComponentChildren } from "preact";
import { type JobDocument, type ReportDocument, unsigned } from "../explanation/index.ts";

const SHORT_DIGEST = 12;

interface Fact {
  name: string;
  value: ComponentChildren;
  /** Left out where there is little room. */
  isMinor?: boolean;
}

export function Facts({ report }: { report: ReportDocument }) {
  return (
    <dl class="report-facts">
      {factsOf(report).map(({ name, value, isMinor = false }) => (
        <div key={name} class={isMinor ? "report-minor" : ""}>
          <dt>
            <bdi>{name}</bdi>
          </dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function factsOf(report: ReportDocument): Fact[] {
  const { explanation, job } = report;
  const facts: (Fact | null)[] = [
    { name: "Similarity", value: <Score report={report} /> },
    { name: "With nothing there", value: unsigned(explanation.empty_value) },
    explanation.estimated_r2 === null ? null : { name: "Explained (R²)", value: unsigned(explanation.estimated_r2) },
    { name: "Method", value: methodOf(report) },
    { name: "Passes", value: `${explanation.image_passes} image, ${explanation.text_passes} text` },
    ...(job ? factsOfJob(job) : []),
    ...digestsOf(report).map(([name, digest]) => ({ name, value: <Digest digest={digest} />, isMinor: true })),
  ];
  return facts.filter((fact) => fact !== null);
}

function factsOfJob(job: JobDocument): (Fact | null)[] {
  const metadata = Object.entries((job.metadata as Record<string, string> | undefined) ?? {});
  return [
    { name: "Model", value: <bdi>{job.model.id}</bdi> },
    job.completed_at ? { name: "Explained on", value: <Instant iso={job.completed_at} /> } : null,
    { name: "Job", value: <Digest digest={job.id} />, isMinor: true },
    job.custom_id ? { name: "Item", value: <bdi>{String(job.custom_id)}</bdi> } : null,
    ...metadata.map(([name, value]) => ({ name: `“${name}”`, value: <bdi>{value}</bdi> })),
  ];
}

function Score({ report: { explanation } }: { report: ReportDocument }) {
  return (
    <>
      <strong>{unsigned(explanation.full_value)}</strong> {explanation.score}
    </>
  );
}

function methodOf({ explanation }: ReportDocument): string {
  const { method, order, p } = explanation;
  return [method, `order ${order}`, p === null ? "" : `p ${unsigned(p)}`].filter(Boolean).join(", ");
}

function Instant({ iso }: { iso: string }) {
  const [day, time] = new Date(iso).toISOString().split("T");
  return <time dateTime={iso}>{`${day} ${time?.slice(0, 5)} UTC`}</time>;
}

function digestsOf({ job, audit }: ReportDocument): [string, string][] {
  const record = audit as { digest?: string; model?: { weights_sha256?: string } } | null;
  const digests: [string, string | undefined][] = [
    ["Picture’s digest", job?.input.image_sha256],
    ["Weights’ digest", record?.model?.weights_sha256 ?? job?.model.revision],
    ["Record’s digest", record?.digest],
  ];
  return digests.filter((digest): digest is [string, string] => Boolean(digest[1]));
}

/** Its first digits, which tell things apart; the record has it in full. */
function Digest({ digest }: { digest: string }) {
  const hex = digest.replace(/^sha256:/, "");
  return <code title={hex}>{hex.length > SHORT_DIGEST ? `${hex.slice(0, SHORT_DIGEST)}…` : hex}</code>;
}
