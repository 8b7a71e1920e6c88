import { Button } from "../../ui/index.ts";
import { count } from "../words.ts";

interface PagerProps {
  readonly page: number;
  readonly pages: number;
  readonly onPage: (page: number) => void;
}

/** Turns pages. */
export function Pager({ page, pages, onPage }: PagerProps) {
  if (pages < 2) return null;
  const go = (text: string): void => onPage(Math.min(pages, Math.max(1, Math.trunc(Number(text)) || 1)));
  return (
    <nav class="pager" aria-label="Pages">
      <Button disabled={page === 1} onClick={() => onPage(page - 1)}>
        Previous
      </Button>
      <label>
        <span>Page</span>
        <input
          class="ui-input"
          type="number"
          min={1}
          max={pages}
          value={page}
          onChange={(event) => go(event.currentTarget.value)}
        />
        <span>of {count(pages)}</span>
      </label>
      <Button disabled={page === pages} onClick={() => onPage(page + 1)}>
        Next
      </Button>
    </nav>
  );
}
