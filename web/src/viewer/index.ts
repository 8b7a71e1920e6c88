/** An explanation to look at: the viewer, and parts of it for lists and for paper. It fetches nothing. */
export { MetricsView } from "./metrics-view.tsx";
export { type ScaleLimits, scaleLimits } from "./model.ts";
export { PrintedViews } from "./printed-views.tsx";
export { RecordView } from "./record-view.tsx";
export { Thumbnail } from "./thumbnail.tsx";
export { ExplanationViewer, type ExplanationViewerProps, VIEW_TABS } from "./viewer.tsx";
