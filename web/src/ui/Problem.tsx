import type { ComponentChildren } from "preact";

export interface ProblemProps {
  title: string;
  /** How bad: "note" for what is merely to be known. */
  level?: "error" | "warn" | "note";
  detail?: ComponentChildren;
  /** The stable name of the error. */
  code?: string | null | undefined;
  /** What the service's logs know the request by. */
  requestId?: string | null | undefined;
  /** What can be done about it: buttons, links. */
  children?: ComponentChildren;
}

/** What went wrong, or is missing, and what to do. Errors are announced at once. */
export function Problem({ title, level = "error", detail, code, requestId, children }: ProblemProps) {
  return (
    <section class={`ui-problem ui-problem-${level}`} role={level === "error" ? "alert" : "status"}>
      <h3>{title}</h3>
      {detail && <p>{detail}</p>}
      {children && <div class="ui-actions">{children}</div>}
      {(code || requestId) && (
        <footer>
          {code && <code>{code}</code>}
          {requestId && (
            <span>
              request <code>{requestId}</code>
            </span>
          )}
        </footer>
      )}
    </section>
  );
}
