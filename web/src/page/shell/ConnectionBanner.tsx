import { waiting } from "../api/index.ts";
import { useNow } from "./useNow.ts";

/** Says that the service cannot be reached, or is busy, for as long as requests wait. */
export function ConnectionBanner() {
  const wait = waiting.value;
  const now = useNow(wait ? 0.5 : null);
  const seconds = wait ? Math.max(0, Math.ceil((wait.until - now) / 1000)) : 0;
  return (
    <div class="page-banner" role="status">
      {wait && (
        <p>
          {wait.kind === "lost" ? "Connection lost, trying again" : `The service is busy: ${wait.detail}. Trying again`}
          <span aria-hidden="true">{seconds > 0 ? ` in ${seconds} s` : " …"}</span>
        </p>
      )}
    </div>
  );
}
