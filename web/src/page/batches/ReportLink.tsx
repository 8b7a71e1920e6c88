import { useState } from "preact/hooks";

import { apiKey, download, pathOf } from "../api/index.ts";

/** Leads to the report of an explanation; where a key is needed, which a link cannot bear, it is saved instead. */
export function ReportLink({ id, name }: { id: string; name: string }) {
  const [isLost, setIsLost] = useState(false);
  const path = pathOf(id, "report.html");
  if (apiKey.value === null) {
    return (
      <a class="item-report" href={path} target="_blank" rel="noreferrer" aria-label={`Report of ${name}`}>
        report
      </a>
    );
  }
  const save = (): void => {
    setIsLost(false);
    download(path, `${id}.html`).catch(() => setIsLost(true));
  };
  return (
    <button type="button" class="link item-report" aria-label={`Save the report of ${name}`} onClick={save}>
      {isLost ? "report: not to be had" : "report"}
    </button>
  );
}
