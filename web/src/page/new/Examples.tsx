import { request } from "../api/index.ts";
import { useLoaded } from "../shell/useLoaded.ts";
import { change } from "./draft.ts";
import { choosePicture } from "./picture.ts";

const FOLDER = "page/examples";

interface Example {
  readonly image: string;
  readonly caption: string;
  /** Whether the caption is true of the picture. */
  readonly fits: boolean;
}

/** Pairs to begin with. */
export function Examples() {
  const { value } = useLoaded("", async (signal): Promise<readonly Example[]> => {
    return (await request(`${FOLDER}/examples.json`, { signal, isPatient: false })).json();
  });
  const take = async ({ image, caption }: Example): Promise<void> => {
    const picture = await (await request(`${FOLDER}/${image}`)).blob();
    choosePicture(picture, image);
    change({ caption });
  };
  if (!value) return null;
  return (
    <section class="new-examples" aria-label="Examples">
      <h2>Or take an example</h2>
      <ul>
        {value.map((example) => (
          <li key={example.caption}>
            <button type="button" onClick={() => take(example)}>
              <img src={`${FOLDER}/${example.image}`} alt="" width={64} height={64} loading="lazy" />
              <span>
                {example.caption}
                {!example.fits && <em> (it does not fit)</em>}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <p class="ui-hint">Drawings, which the demo model was trained on.</p>
    </section>
  );
}
