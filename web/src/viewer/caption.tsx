import type { JSX, TargetedEvent, TargetedKeyboardEvent } from "preact";
import { colour, diverging, inkOn } from "../explanation/index.ts";
import type { Look } from "./look.ts";
import type { ViewerModel } from "./model.ts";
import type { Touch } from "./patch-grid.tsx";

interface CaptionProps {
  readonly model: ViewerModel;
  readonly look: Look;
  readonly marked: readonly number[];
  readonly pinned: number | null;
  /** What is told of a word while it is pointed at. */
  readonly tip: (player: number) => string;
  readonly tipped: number | null;
  readonly touch: Touch;
}

/** The caption's words, each a button in its tint; one of them takes the Tab key, arrow keys lead to the others. */
export function Caption(props: CaptionProps): JSX.Element {
  const { model, pinned, touch } = props;
  const { nImage, tokens } = model.explanation;
  const reachable = pinned !== null && pinned >= nImage ? pinned - nImage : 0;
  const playerOf = (event: TargetedEvent<HTMLElement>): number | null => {
    const word = (event.target as Element).closest<HTMLElement>("[data-player]");
    return word ? Number(word.dataset.player) : null;
  };
  const press = (event: TargetedKeyboardEvent<HTMLElement>) => {
    const player = playerOf(event);
    if (event.key === "Escape") touch.onUnpin();
    else if (player === null || !moveFocus(event, player - nImage)) return;
    event.preventDefault();
  };
  const focus = (event: TargetedEvent<HTMLElement>) => {
    const player = playerOf(event);
    if (player === null || !(event.target as Element).matches(":focus-visible")) return;
    touch.onHover(player);
  };
  return (
    <div
      class="caption"
      role="toolbar"
      aria-label="Words of the caption"
      dir="auto"
      onPointerOver={(event) => event.pointerType !== "touch" && touch.onHover(playerOf(event))}
      onPointerLeave={() => touch.onHover(null)}
      onFocusIn={focus}
      onFocusOut={() => touch.onHover(null)}
      onKeyDown={press}
    >
      {tokens.map((token, index) => (
        <Word key={index} {...props} token={token} player={nImage + index} tabIndex={index === reachable ? 0 : -1} />
      ))}
    </div>
  );
}

function Word(props: CaptionProps & { token: string; player: number; tabIndex: number }): JSX.Element {
  const { look, player, pinned, marked, tipped, token } = props;
  const out = look.present !== null && !look.present[player];
  const classes = [
    "word",
    player === look.subject && "is-subject",
    marked.includes(player) && "is-marked",
    look.values && player !== look.subject && "is-tinted",
    out && "is-out",
  ];
  return (
    <button
      type="button"
      class={classes.filter(Boolean).join(" ")}
      data-player={player}
      tabIndex={props.tabIndex}
      aria-pressed={pinned === player}
      style={tint(props.look, player)}
      onClick={() => props.touch.onPin(player)}
    >
      {out ? <s>{token}</s> : <bdi>{token}</bdi>}
      {tipped === player && (
        <span class="tip" role="presentation">
          {props.tip(player)}
        </span>
      )}
    </button>
  );
}

/** The words in their tints and no more, for paper. */
export function Words({ model, look }: { model: ViewerModel; look: Look }): JSX.Element {
  const { nImage, tokens } = model.explanation;
  return (
    <p class="caption" dir="auto">
      {tokens.map((token, index) => {
        const player = nImage + index;
        const name = player === look.subject ? "word is-subject" : "word";
        const out = look.present !== null && !look.present[player];
        return (
          <span key={index} class={out ? "word is-out" : name} style={tint(look, player)}>
            {out ? <s>{token}</s> : <bdi>{token}</bdi>}
          </span>
        );
      })}
    </p>
  );
}

function tint(look: Look, player: number): Record<string, string> {
  if (!look.values || player === look.subject) return {};
  const value = look.values[player] ?? 0;
  return { backgroundColor: colour(value, look.wordsLimit), color: inkOn(diverging(value, look.wordsLimit)) };
}

/** Left and right by the direction of the text. */
function moveFocus(event: TargetedKeyboardEvent<HTMLElement>, from: number): boolean {
  const words = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-player]")];
  const forward = getComputedStyle(event.currentTarget).direction === "rtl" ? -1 : 1;
  const steps: Readonly<Record<string, number>> = {
    ArrowRight: from + forward,
    ArrowLeft: from - forward,
    Home: 0,
    End: words.length - 1,
  };
  const to = steps[event.key];
  if (to === undefined) return false;
  const word = words[Math.min(Math.max(to, 0), words.length - 1)];
  for (const other of words) other.tabIndex = other === word ? 0 : -1;
  word?.focus();
  return true;
}
