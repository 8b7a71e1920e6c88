import { Badge, type BadgeProps } from "../../ui/index.ts";
import type { JobStatus } from "../api/index.ts";
import { statusWord } from "../words.ts";

const KINDS: Readonly<Record<JobStatus, NonNullable<BadgeProps["kind"]>>> = {
  queued: "plain",
  running: "active",
  succeeded: "good",
  failed: "bad",
  canceled: "warn",
  expired: "warn",
};

/** How a job stands. */
export function StatusBadge({ status }: { readonly status: JobStatus }) {
  return <Badge kind={KINDS[status]}>{statusWord(status)}</Badge>;
}
