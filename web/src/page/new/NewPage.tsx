import { type Catalogue, type ExplanationJob, getCatalogue, getJob, pathOf } from "../api/index.ts";
import { Failure } from "../shell/Failure.tsx";
import { Heading } from "../shell/Heading.tsx";
import { useLoaded } from "../shell/useLoaded.ts";
import { change, draft, draftOf, type Picture } from "./draft.ts";
import { NewForm } from "./NewForm.tsx";
import { getUpload, letGo, pictureError, takePicture } from "./picture.ts";

interface NewPageProps {
  /** `from`: the explanation that is asked for again, with `compare=yes` to be held against it. */
  readonly query: URLSearchParams;
}

/** Where an explanation is asked for. */
export function NewPage({ query }: NewPageProps) {
  const from = query.get("from");
  const isComparison = from !== null && query.get("compare") === "yes";
  const { value, error, reload } = useLoaded(from ?? "", (signal) => prepared(from, signal));
  return (
    <>
      <Heading title={isComparison ? "Compare with another model or method" : "Explain a picture and a caption"} />
      {!from && (
        <p class="page-lead">
          See which parts of a picture and which words of a caption make a vision-language model find them similar, and
          which of them work together.
        </p>
      )}
      {error && <Failure error={error} onRetry={reload} />}
      {value && <NewForm catalogue={value} comparedWith={isComparison ? from : null} />}
    </>
  );
}

/** What there is to choose from; and, in the draft, what the earlier explanation was asked for with. */
async function prepared(from: string | null, signal: AbortSignal): Promise<Catalogue> {
  const [catalogue, job] = await Promise.all([getCatalogue(signal), from === null ? null : getJob(from, signal)]);
  if (job) {
    const { picture } = draft.value;
    draft.value = draftOf(job, catalogue);
    pictureError.value = null;
    await takePictureOf(job, picture, signal);
  }
  return catalogue;
}

/** Take the picture of an earlier job, if it is still there: in this page, or as the service's upload. */
async function takePictureOf(job: ExplanationJob, known: Picture | null, signal: AbortSignal): Promise<void> {
  const id = job.metadata.image_id;
  if (known?.upload && known.upload.id === id) return change({ picture: known });
  letGo(known);
  const upload = id ? await getUpload(id, signal).catch(() => null) : null;
  const view = job.status === "succeeded" ? pathOf(job.id, "view.png") : null;
  if (upload?.sha256 === job.input.image_sha256) takePicture({ url: view, name: "as before", file: null, upload });
  else pictureError.value = new Error("The service does not keep pictures for long: please choose the same one again.");
}
