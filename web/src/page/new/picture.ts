/** The picture of the draft: chosen, shown, and sent at once, so that what is wrong with it is known early. */

import { signal } from "@preact/signals";

import { getJson, type Upload, uploadImage } from "../api/index.ts";
import { setBoxes } from "./boxes.ts";
import { change, draft, type Picture } from "./draft.ts";

/** Why the picture cannot be used; null: nothing is known against it. */
export const pictureError = signal<Error | null>(null);

let sending: { readonly picture: Picture; readonly upload: Promise<Upload>; readonly stop: AbortController } | null =
  null;

/** Take a file as the draft's picture, and send it. */
export function choosePicture(file: Blob, name: string): void {
  const { picture: before } = draft.value;
  sending?.stop.abort();
  letGo(before);
  const picture = { url: URL.createObjectURL(file), name, file, upload: null };
  pictureError.value = null;
  if (before) setBoxes([]); // they were of the other picture
  change({ picture });
  send(picture).catch((error) => {
    if (draft.value.picture?.file === file) pictureError.value = error;
  });
}

/** Free what shows a picture that is needed no longer. */
export function letGo(picture: Picture | null): void {
  if (picture?.url?.startsWith("blob:")) URL.revokeObjectURL(picture.url);
}

/** Take a picture that the service has already. */
export function takePicture(picture: Picture): void {
  sending?.stop.abort();
  sending = null;
  pictureError.value = null;
  change({ picture });
}

/** The draft's picture as the service has it; it is sent again if it must be. */
export async function uploaded(picture: Picture): Promise<Upload> {
  if (picture.upload && Date.parse(picture.upload.expires_at) > Date.now()) return picture.upload;
  if (sending?.picture.file === picture.file && !pictureError.value) return sending.upload;
  pictureError.value = null;
  return send(picture);
}

/** The picture was not found: it must be sent again. */
export function forgetUpload(): void {
  const { picture } = draft.value;
  if (picture) change({ picture: { ...picture, upload: null } });
  sending = null;
}

async function send(picture: Picture): Promise<Upload> {
  const { file } = picture;
  if (!file) throw new Error("The service keeps the picture no longer: choose it again.");
  const stop = new AbortController();
  const upload = uploadImage(file, stop.signal);
  sending = { picture, upload, stop };
  const known = await upload;
  if (draft.value.picture?.file === file) change({ picture: { ...draft.value.picture, upload: known } });
  return known;
}

/** An upload that may still be there. */
export function getUpload(id: string, signal: AbortSignal): Promise<Upload> {
  return getJson(`v1/images/${encodeURIComponent(id)}`, { signal });
}

/** The first picture of what was pasted or dropped. */
export function pictureIn(data: DataTransfer | null): File | null {
  return [...(data?.files ?? [])].find(({ type }) => type.startsWith("image/")) ?? data?.files[0] ?? null;
}
