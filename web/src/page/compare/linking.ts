/** What is pointed at in one explanation, in the others: by the common players of `GET /v1/comparisons`. */

/** Of one explanation and each of its own players, the common players that have most of its value. */
export type Common = readonly (readonly number[])[];

/** Of every explanation the own players that share a common player with `player` of explanation `from`.
 *
 * Its own are not among them; where grids or tokens differ, one player may have several partners, or none.
 */
export function partners(common: readonly Common[], from: number, player: number): readonly (readonly number[])[] {
  const shared = new Set(common[from]?.[player]);
  return common.map((players, index) => {
    if (index === from) return [];
    return players.flatMap((places, own) => (places.some((place) => shared.has(place)) ? [own] : []));
  });
}

/** The partner that stands for a player where there must be one: of several, the middle one. */
export function partner(common: readonly Common[], from: number, player: number, to: number): number | null {
  if (from === to) return player;
  const found = partners(common, from, player)[to] ?? [];
  return found[Math.floor((found.length - 1) / 2)] ?? null;
}
