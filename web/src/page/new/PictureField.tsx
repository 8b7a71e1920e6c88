import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";

import { Button } from "../../ui/index.ts";
import { draft } from "./draft.ts";
import { Preview } from "./Preview.tsx";
import { choosePicture, pictureIn } from "./picture.ts";

const TYPES = "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff";

interface PictureFieldProps {
  readonly error: string | null;
  /** Whether the picture is given: a comparison is of one picture. */
  readonly isFixed: boolean;
  /** Whether the method takes boxes on the picture as players. */
  readonly canHaveBoxes: boolean;
}

/** The picture: dropped, chosen, pasted. */
export function PictureField({ error, isFixed, canHaveBoxes }: PictureFieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const isOver = useTransfers(!isFixed);
  const { picture } = draft.value;
  const take = (event: Event & { currentTarget: HTMLInputElement }): void => {
    const file = event.currentTarget.files?.[0];
    if (file) choosePicture(file, file.name);
    event.currentTarget.value = ""; // so that the same file can be chosen again
  };
  return (
    <div class="new-picture" data-over={isOver}>
      {picture ? (
        <Preview picture={picture} canHaveBoxes={canHaveBoxes} />
      ) : (
        <p class="new-invitation">Drop a picture here, or paste one</p>
      )}
      <input ref={input} hidden type="file" accept={TYPES} aria-label="Picture" onChange={take} />
      {!isFixed && (
        <Button
          data-invalid={Boolean(error)}
          aria-describedby={error ? `${id}-error` : undefined}
          onClick={() => input.current?.click()}
        >
          {picture ? "Choose another picture" : "Choose a picture"}
        </Button>
      )}
      {error && (
        <p class="ui-error" id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

/** Take pictures that are dropped or pasted anywhere on the page; true while one is held above it. */
function useTransfers(isActive: boolean): boolean {
  const isOver = useSignal(false);
  useEffect(() => {
    if (!isActive) return;
    const stop = new AbortController();
    const listen = <K extends keyof WindowEventMap>(name: K, handle: (event: WindowEventMap[K]) => void): void =>
      addEventListener(name, handle, { signal: stop.signal });
    const take = (event: Event, data: DataTransfer | null): void => {
      const file = pictureIn(data);
      if (!file) return;
      event.preventDefault();
      choosePicture(file, file.name);
    };
    listen("dragover", (event) => {
      event.preventDefault();
      isOver.value = true;
    });
    listen("dragleave", () => {
      isOver.value = false;
    });
    listen("drop", (event) => {
      event.preventDefault();
      isOver.value = false;
      take(event, event.dataTransfer);
    });
    listen("paste", (event) => {
      // What is copied of a table or a page is a text with a picture of it: a field takes the text.
      const isText = event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement;
      if (!isText || !event.clipboardData?.types.includes("text/plain")) take(event, event.clipboardData);
    });
    return () => stop.abort();
  }, [isActive, isOver]);
  return isOver.value;
}
