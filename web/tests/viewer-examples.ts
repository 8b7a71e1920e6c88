/** Explanations small enough to know every number of. */
import type { ExplanationDocument, ReportDocument } from "../src/explanation/index.ts";

function base64(values: readonly number[]): string {
  return Buffer.from(new Float32Array(values).buffer).toString("base64");
}

/**
 * Two patches and two words: the pairs of "dog" with them are 0.5 and -1, that of the words is 4, others are 0.
 *
 * Values are sums of powers of two, which float32 holds as they are.
 */
export function exampleReport(
  change: Partial<ExplanationDocument> = {},
  more: Partial<ReportDocument> = {},
): ReportDocument {
  return {
    format: 1,
    explanation: {
      method: "fixlip",
      index: "WFBII",
      additive: true,
      order: 2,
      p: 0.5,
      score: "logit",
      tokens: ["dog", "sofa"],
      grid: [1, 2],
      regions: [],
      labels: ["r0c0", "r0c1", "dog", "sofa"],
      baseline: 1,
      empty_value: 0.75,
      full_value: 9,
      estimated_r2: 0.875,
      image_passes: 8,
      text_passes: 4,
      first: base64([1, -2, 3, 0.25]),
      first_std_error: base64([0.125, 0.125, 0.25, 0.25]),
      main_effects: base64([1.25, -2.5, 4.75, 2.25]),
      pairs: { values: base64([0, 0.5, 0, -1, 0, 4]), std_errors: base64([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]) },
      provenance: {},
      ...change,
    },
    image: { width: 2, height: 1, data_url: null },
    job: null,
    evaluation: null,
    audit: null,
    ...more,
  };
}

/** The same players with values of their own alone, on scales that do not compare. */
export function attribution(): ReportDocument {
  return exampleReport({
    method: "grad_eclip",
    index: "GradECLIP",
    additive: false,
    order: 1,
    p: null,
    baseline: null,
    first: base64([1, -2, 30, 10]),
    first_std_error: null,
    main_effects: base64([1, -2, 30, 10]),
    pairs: null,
  });
}
