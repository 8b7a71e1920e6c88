/** What the report shows is in its address, behind the `#`: a link to the file leads to the very view. */
import { useEffect, useState } from "preact/hooks";
import { queryWithState, stateFromQuery, type ViewerState } from "../explanation/index.ts";
import { replaceFragment } from "../ui/index.ts";

export function useStateInFragment(): [ViewerState, (state: ViewerState) => void] {
  const [state, setState] = useState(readState);
  useEffect(() => {
    const follow = () => setState(readState());
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const change = (next: ViewerState) => {
    setState(next);
    replaceFragment(`#${queryWithState(next)}`);
  };
  return [state, change];
}

function readState(): ViewerState {
  return stateFromQuery(new URLSearchParams(location.hash.slice(1)));
}
