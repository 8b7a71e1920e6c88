/** The page of a report: what it is of, the viewer, and, for paper, all views one under another. */
import { useEffect, useState } from "preact/hooks";
import type { ReportDocument } from "../explanation/index.ts";
import { Button, ThemeChoice, VisuallyHidden } from "../ui/index.ts";
import { ExplanationViewer, MetricsView, PrintedViews, RecordView } from "../viewer/index.ts";
import { Facts } from "./Facts.tsx";
import { useStateInFragment } from "./fragment.ts";

const DRAWN_AFTER_MS = 300;
const DRAWN_WITHIN_MS = 1000;

export function Report({ report }: { report: ReportDocument }) {
  const imageUrl = report.image.data_url ?? "";
  return (
    <div class="report">
      <header class="report-head">
        <div class="report-bar">
          <p>Why a model finds this picture and this caption similar</p>
          <ThemeChoice />
          <Button onClick={() => print()}>Print</Button>
        </div>
        <h1>
          <bdi>{report.job?.input.caption ?? report.explanation.tokens.join(" ")}</bdi>
        </h1>
        <Facts report={report} />
      </header>
      <main class="report-screen">
        <h2>
          <VisuallyHidden>Views of the explanation</VisuallyHidden>
        </h2>
        <OnScreen report={report} imageUrl={imageUrl} />
      </main>
      <OnPaper report={report} imageUrl={imageUrl} />
    </div>
  );
}

interface Shown {
  readonly report: ReportDocument;
  readonly imageUrl: string;
}

/** The viewer. Its state is kept here, as with each change of it paper, which is dear to draw, would be drawn anew. */
function OnScreen({ report, imageUrl }: Shown) {
  const [state, setState] = useStateInFragment();
  return <ExplanationViewer report={report} imageUrl={imageUrl} state={state} onState={setState} />;
}

/** All views one under another. They are drawn beforehand: whoever prints gives no time for it. */
function OnPaper({ report, imageUrl }: Shown) {
  const [isDrawn, setDrawn] = useState(false);
  useEffect(() => {
    const draw = () => setDrawn(true);
    const soon = setTimeout(() => whenIdle(draw), DRAWN_AFTER_MS);
    addEventListener("beforeprint", draw);
    return () => {
      clearTimeout(soon);
      removeEventListener("beforeprint", draw);
    };
  }, []);
  if (!isDrawn) return null;
  return (
    <div class="report-paper">
      <PrintedViews report={report} imageUrl={imageUrl} />
      <section>
        <h2>Metrics</h2>
        <MetricsView report={report} />
      </section>
      <section>
        <h2>Record</h2>
        <RecordView report={report} />
      </section>
    </div>
  );
}

function whenIdle(act: () => void): void {
  if ("requestIdleCallback" in window) requestIdleCallback(act, { timeout: DRAWN_WITHIN_MS });
  else act(); // Safari
}
