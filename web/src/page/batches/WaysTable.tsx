import type { WayView } from "../api/batches.ts";
import { Scrolls } from "../tables/Scrolls.tsx";
import { count, duration } from "../words.ts";

/** The ways to explain, and what each took. */
export function WaysTable({ ways, names }: { ways: readonly WayView[]; names: readonly string[] }) {
  return (
    <Scrolls label="Ways to explain">
      <table class="ways-table">
        <caption>Ways to explain; passes and seconds are means of one explanation</caption>
        <thead>
          <tr>
            <th scope="col">Way</th>
            <th scope="col" class="number">
              Done
            </th>
            <th scope="col" class="number">
              No result
            </th>
            <th scope="col" class="number">
              Passes
            </th>
            <th scope="col" class="number">
              Time
            </th>
          </tr>
        </thead>
        <tbody>
          {ways.map((way) => (
            <tr key={way.way}>
              <th scope="row">{names[way.way]}</th>
              <td class="number">{count(way.succeeded)}</td>
              <td class="number">{count(way.failed)}</td>
              <td class="number">
                {way.mean_forward_passes === null ? "–" : count(Math.round(way.mean_forward_passes))}
              </td>
              <td class="number">{way.mean_run_s === null ? "–" : duration(way.mean_run_s)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolls>
  );
}
