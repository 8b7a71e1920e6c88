import { Problem } from "../../ui/index.ts";
import type { ExplanationJob } from "../api/index.ts";
import { fragmentOf } from "../routing.ts";
import { sentence } from "../shell/Failure.tsx";

const ADVICE: Readonly<Record<string, string>> = {
  deadline_exceeded: "A smaller budget takes less time.",
  device_lost: "Another worker may succeed: ask again.",
  internal_error: "The operator can look it up there.",
  out_of_memory: "A smaller budget helps, too.",
  queue_ttl_exceeded: "Ask again once a worker is there.",
  worker_lost: "Ask again; if it happens again, the operator should look at the workers' logs.",
};

/** Why there is nothing to see, and what can be done. */
export function NoResult({ job }: { readonly job: ExplanationJob }) {
  const again = (
    <a class="ui-button" href={fragmentOf("", { from: job.id })}>
      Ask again
    </a>
  );
  if (job.status === "canceled") {
    return (
      <Problem title="This explanation was canceled" level="note" detail="It was stopped before it had a result.">
        {again}
      </Problem>
    );
  }
  const code = job.error?.code;
  const detail = [job.error ? sentence(job.error.detail) : null, code ? ADVICE[code] : null].filter(Boolean).join(" ");
  const title = job.status === "expired" ? "This explanation waited too long" : "This explanation has failed";
  return (
    <Problem title={title} level={job.status === "expired" ? "warn" : "error"} detail={detail} code={code}>
      {again}
    </Problem>
  );
}
