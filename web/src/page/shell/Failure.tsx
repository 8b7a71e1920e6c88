import type { ComponentChildren } from "preact";

import { Button, Problem } from "../../ui/index.ts";
import { ApiProblem, ConnectionLost } from "../api/index.ts";

const TITLES: Readonly<Record<string, string>> = {
  keys_required: "The service answers its own machine alone",
  missing_scope: "The API key does not allow this",
  job_not_found: "There is no such explanation",
  batch_not_found: "There is no such batch",
  quota_exceeded: "The quota is used up",
  queue_full: "The queue is full",
  no_models: "No model is served yet",
};

interface FailureProps {
  readonly error: Error;
  readonly title?: string;
  readonly onRetry?: (() => void) | undefined;
  /** What else can be done. */
  readonly children?: ComponentChildren;
}

/** What has kept the service from doing what was asked. */
export function Failure({ error, title, onRetry, children }: FailureProps) {
  const problem = error instanceof ApiProblem ? error : null;
  return (
    <Problem
      title={title ?? titleOf(error)}
      detail={sentence(error.message) + againIn(problem)}
      code={problem?.code}
      requestId={problem?.requestId}
    >
      {onRetry && <Button onClick={onRetry}>Try again</Button>}
      {children}
    </Problem>
  );
}

function titleOf(error: Error): string {
  if (error instanceof ConnectionLost) return "The service cannot be reached";
  if (error instanceof ApiProblem) return TITLES[error.code] ?? "The service has refused this";
  return "This did not work";
}

function againIn(problem: ApiProblem | null): string {
  return problem?.retryAfterS ? ` It may work in ${Math.ceil(problem.retryAfterS)} s.` : "";
}

/** What the service says, as a sentence. */
export function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
