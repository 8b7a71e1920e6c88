import { BatchesPage, BatchPage } from "./batches/index.ts";
import { ComparePage } from "./compare/index.ts";
import { JobPage } from "./job/JobPage.tsx";
import { JobsPage } from "./jobs/JobsPage.tsx";
import { NewPage } from "./new/NewPage.tsx";
import { currentRoute, fragmentOf, navigate, type Route } from "./routing.ts";
import { Heading } from "./shell/Heading.tsx";
import { Shell } from "./shell/Shell.tsx";

/** The page. */
export function App() {
  return (
    <Shell>
      <View route={currentRoute.value} />
    </Shell>
  );
}

function View({ route }: { readonly route: Route }) {
  const { view, id, query } = route;
  const onQuery = (changed: URLSearchParams, options: { replace: boolean }): void => {
    navigate(fragmentOf(pathOf(route), changed), options);
  };
  switch (view) {
    case "new":
      return <NewPage key={query.get("from")} query={query} />;
    case "explanations":
      return <JobsPage query={query} onQuery={onQuery} />;
    case "explanation":
      return <JobPage key={id} id={id} query={query} onQuery={onQuery} />;
    case "compare":
      return <ComparePage query={query} onQuery={onQuery} />;
    case "batches":
      return <BatchesPage query={query} onQuery={onQuery} />;
    case "batch":
      return <BatchPage key={id} id={id} query={query} onQuery={onQuery} />;
    case "unknown":
      return <NotFound />;
  }
}

function pathOf({ view, id }: Route): string {
  const part = encodeURIComponent(id);
  const paths = { new: "", explanation: `explanations/${part}`, batch: `batches/${part}`, unknown: "" };
  return view in paths ? paths[view as keyof typeof paths] : view;
}

function NotFound() {
  return (
    <>
      <Heading title="There is nothing here" />
      <p>
        The address names no view of this page. You may want to <a href={fragmentOf("")}>explain a picture</a> or see
        your <a href={fragmentOf("explanations")}>explanations</a>.
      </p>
    </>
  );
}
