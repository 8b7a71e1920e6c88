/** The service's API, as the page uses it. */

export { type Catalogue, getCatalogue } from "./catalogue.ts";
export {
  download,
  getJson,
  imageUrl,
  isPassing,
  type RequestOptions,
  request,
  sleep,
  type Wait,
  waiting,
} from "./connection.ts";
export { apiKey, forgetKey, giveKey, keyWanted } from "./credentials.ts";
export {
  cancelJob,
  deleteJob,
  followJob,
  getJob,
  getReport,
  isFinal,
  type JobFilter,
  listJobs,
  pathOf,
  type Submission,
  submit,
  uploadImage,
} from "./explanations.ts";
export { type FollowOptions, follow, isStreamRefused, poll } from "./follow.ts";
export { ApiProblem, ConnectionLost, type FieldError } from "./problems.ts";
export type { ServerEvent } from "./sse.ts";
export type * from "./types.ts";
