import type { ComponentChildren, JSX } from "preact";
import type { ReportDocument } from "../explanation/index.ts";
import { CopyButton, Facts } from "../ui/index.ts";
import "./panels.css";

const DIGEST = /^[0-9a-f]{32,}$/;
const DIGITS_SHOWN = 12;
/** Drawn by the metrics view. */
const ELSEWHERE = new Set(["scores"]);
const INITIALS: Readonly<Record<string, string>> = {
  sha256: "SHA-256",
  id: "ID",
  px: "(px)",
  s: "(s)",
  fixlip: "FIxLIP",
};

/** The audit record and the provenance: what was computed from what, by what. */
export function RecordView({ report }: { report: ReportDocument }): JSX.Element {
  const { audit, job, explanation } = report;
  const sections = audit ? sectionsOf(audit) : job ? sectionsOf({ job }) : [];
  const provenance = Object.entries(explanation.provenance);
  return (
    <div class="viewer-record">
      {!audit && (
        <p class="viewer-note">There is no audit record: those are sealed by the service when a job is done.</p>
      )}
      {sections.map(({ title, facts }) => (
        <section key={title}>
          <h3>{title}</h3>
          <Facts items={facts} />
        </section>
      ))}
      {provenance.length > 0 && (
        <section>
          <h3>Provenance of the values</h3>
          <Facts items={provenance.map(([name, value]) => [worded(name), shown(value)])} />
        </section>
      )}
    </div>
  );
}

interface Section {
  readonly title: string;
  readonly facts: (readonly [string, ComponentChildren | null])[];
}

/** One for each object in it, and one for what stands beside them. */
function sectionsOf(record: Readonly<Record<string, unknown>>): Section[] {
  const members = Object.entries(record).filter(([name]) => !ELSEWHERE.has(name));
  const alone = members.filter(([, value]) => !isObject(value));
  const sections = members.flatMap(([name, value]) =>
    isObject(value) ? [{ title: worded(name), facts: factsOf(value) }] : [],
  );
  const seal = { title: "Seal", facts: alone.map(([name, value]) => [worded(name), shown(value)] as const) };
  return alone.length ? [...sections, seal] : sections;
}

function factsOf(value: object): Section["facts"] {
  return Object.entries(value).flatMap(([name, member]): Section["facts"] =>
    isObject(member)
      ? Object.entries(member).map(([inner, part]) => [`${worded(name)}: ${inner}`, shown(part)])
      : [[worded(name), shown(member)]],
  );
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): ComponentChildren {
  if (value === null || value === undefined) return <span class="ui-muted">none</span>;
  if (typeof value === "string") return DIGEST.test(value) ? <Digest text={value} /> : <bdi>{value}</bdi>;
  if (typeof value === "number") return Number.isInteger(value) ? value.toLocaleString("en") : String(value);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (!Array.isArray(value) || value.some(isObject)) return <code>{JSON.stringify(value)}</code>;
  return value.length ? <bdi>{value.join(", ")}</bdi> : <span class="ui-muted">none</span>;
}

function Digest({ text }: { text: string }): JSX.Element {
  return (
    <span class="digest">
      <code title={text}>
        {text.slice(0, DIGITS_SHOWN)}
        <span class="digest-rest">{text.slice(DIGITS_SHOWN)}</span>
      </code>
      <CopyButton text={text} />
    </span>
  );
}

/** A member's name in words; that of a file as it is. */
function worded(name: string): string {
  if (name.includes(".")) return name;
  const [first = "", ...rest] = name.split("_");
  const begin = INITIALS[first] ?? first.charAt(0).toUpperCase() + first.slice(1);
  return [begin, ...rest.map((word) => INITIALS[word] ?? word)].join(" ");
}
