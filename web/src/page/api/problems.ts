/** What can go wrong between the page and the service. */

/** What is wrong with one field of a request. */
export interface FieldError {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

interface ProblemBody {
  readonly status?: number;
  readonly code?: string;
  readonly detail?: string;
  readonly request_id?: string;
  readonly errors?: readonly FieldError[];
  readonly job_status?: string | null;
}

/** The service has answered with an error (`application/problem+json`), or with something that is not its own. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[];
  readonly requestId: string | null;
  readonly retryAfterS: number | null;
  readonly jobStatus: string | null;

  constructor(body: ProblemBody, status: number, retryAfterS: number | null) {
    super(body.detail ?? `the service answered with the status ${status}`);
    this.name = "ApiProblem";
    this.status = status;
    this.code = body.code ?? "unexpected_answer";
    this.errors = body.errors ?? [];
    this.requestId = body.request_id ?? null;
    this.retryAfterS = retryAfterS;
    this.jobStatus = body.job_status ?? null;
  }

  /** What happened, for people. */
  get detail(): string {
    return this.message;
  }

  /** Whether the same request may well succeed in a moment. */
  get isPassing(): boolean {
    return PASSING.has(this.status);
  }
}

/** The service could not be reached, or its answer broke off. */
export class ConnectionLost extends Error {
  constructor() {
    super("the service cannot be reached");
    this.name = "ConnectionLost";
  }
}

const PASSING: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** The problem that an answer tells of; a proxy's own pages are told by their status. */
export async function problemOf(response: Response): Promise<ApiProblem> {
  const isOurs = response.headers.get("Content-Type")?.startsWith("application/problem+json");
  const body: ProblemBody = isOurs ? await response.json().catch(() => ({})) : {};
  return new ApiProblem(body, response.status, secondsOf(response.headers.get("Retry-After")));
}

/** `Retry-After` in seconds, whichever way it is written; null where there is none. */
export function secondsOf(retryAfter: string | null, now: number = Date.now()): number | null {
  if (retryAfter === null) return null;
  const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - now) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : null;
}
