import { useEffect, useState } from "preact/hooks";

import { Explanation, type ReportDocument } from "../../explanation/index.ts";
import { getReport, imageUrl, pathOf } from "../api/index.ts";
import { usePending } from "../shell/useLoaded.ts";

/** What is drawn of one of the explanations. */
export interface Subject {
  readonly id: string;
  readonly report: ReportDocument;
  readonly explanation: Explanation;
  readonly imageUrl: string;
}

export interface Subjects {
  readonly value: readonly Subject[] | null;
  readonly error: Error | null;
}

/** Explanations with what their models saw; whoever asks for others is to be another component. */
export function useSubjects(ids: readonly string[]): Subjects {
  const [state, setState] = useState<Subjects>({ value: null, error: null });
  useEffect(() => {
    const stop = new AbortController();
    const urls: string[] = [];
    const loadPicture = async (id: string): Promise<string> => {
      const url = await imageUrl(pathOf(id, "view.png"), { signal: stop.signal });
      if (stop.signal.aborted) URL.revokeObjectURL(url);
      urls.push(url);
      return url;
    };
    const load = async (id: string): Promise<Subject> => {
      const [report, url] = await Promise.all([getReport(id, stop.signal), loadPicture(id)]);
      return { id, report, explanation: Explanation.fromDocument(report.explanation), imageUrl: url };
    };
    const settle = (settled: Subjects): void => {
      if (!stop.signal.aborted) setState(settled);
    };
    Promise.all(ids.map(load)).then(
      (value) => settle({ value, error: null }),
      (error) => settle({ value: null, error }),
    );
    return () => {
      stop.abort();
      for (const url of urls) URL.revokeObjectURL(url);
    };
  }, []);
  usePending(state.value === null && state.error === null);
  return state;
}
