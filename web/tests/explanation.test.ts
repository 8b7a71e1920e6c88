import assert from "node:assert/strict";
import { test } from "node:test";
import { type Coalition, Explanation, greatest } from "../src/explanation/index.ts";
import { truth } from "./truth.ts";

function close(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) <= 1e-9 + 1e-6 * Math.abs(expected), `${found} is not ${expected}`);
}

/** JSON has null where a number is missing. */
function known(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

for (const [name, said] of Object.entries(truth.explanations)) {
  const explanation = Explanation.fromDocument(said.document);
  const { n, nImage } = explanation;
  const everyone = Array.from({ length: n }, (_, player) => player);

  test(`${name}: players and their patches`, () => {
    assert.equal(nImage, said.n_image);
    assert.equal(n, said.first.length);
    assert.deepEqual([...explanation.owners], said.owners);
    assert.deepEqual(
      everyone.slice(0, nImage).map((player) => [...explanation.position(player)]),
      said.positions,
    );
    for (const player of everyone) {
      for (const patch of explanation.patches(player)) assert.equal(explanation.playerOfPatch(patch), player);
    }
    assert.equal(everyone.flatMap((player) => explanation.patches(player)).length, said.owners.length);
  });

  test(`${name}: values`, () => {
    assert.deepEqual([...explanation.first], said.first);
    for (const [k, value] of explanation.mainEffects.entries()) close(value, said.main_effects[k] ?? Number.NaN);
    const errors: (number | null)[] = [];
    for (const i of everyone) {
      assert.equal(explanation.value(i), said.first[i]);
      assert.equal(known(explanation.stdError(i)), said.first_std_errors[i]);
      assert.deepEqual([...explanation.conditional(i)], said.second[i]);
      for (const j of everyone.slice(i + 1)) {
        assert.equal(explanation.value(i, j), said.second[i]?.[j]);
        assert.equal(explanation.value(j, i), explanation.value(i, j));
        errors.push(known(explanation.stdError(i, j)));
      }
    }
    assert.deepEqual(errors, said.pair_std_errors);
  });

  test(`${name}: maps of words`, () => {
    said.conditional.forEach((map, token) => {
      const values = explanation.conditional(nImage + token);
      assert.deepEqual(
        map.map((_, patch) => values[explanation.playerOfPatch(patch)]),
        map,
      );
    });
  });

  test(`${name}: strongest pairs`, () => {
    for (const kind of ["all", "cross"] as const) {
      const found = explanation.topPairs(40, { kind });
      const rows = found.map((pair) => [...pair.players, pair.value, known(pair.stdError)]);
      assert.deepEqual(rows, said.top[kind]);
      assert.deepEqual(explanation.topPairs(3, { kind }), found.slice(0, 3));
      assert.ok(found.length <= explanation.countPairs(kind));
    }
    const parts = (["cross", "image", "text"] as const).map((kind) => explanation.topPairs(1e6, { kind }));
    for (const [k, kind] of (["cross", "image", "text"] as const).entries()) {
      assert.ok(parts[k]?.every((pair) => pair.kind === kind && explanation.kindOf(...pair.players) === kind));
    }
    assert.equal(parts.flat().length, explanation.countPairs());
    assert.deepEqual(explanation.topPairs(0), []);
  });

  test(`${name}: predictions`, () => {
    said.coalitions.forEach((players, k) => {
      const coalition: Coalition = Uint8Array.from(players);
      const predicted = explanation.predict(coalition);
      if (said.predicted === null) assert.equal(predicted, null);
      else close(predicted ?? Number.NaN, said.predicted[k] ?? Number.NaN);
    });
  });
}

test("without values of pairs it has none", () => {
  const said = truth.explanations.fixlip;
  assert.ok(said);
  const explanation = Explanation.fromDocument({ ...said.document, pairs: null });
  assert.equal(explanation.hasPairs, false);
  assert.equal(explanation.order, 2);
  assert.deepEqual(explanation.topPairs(5), []);
  assert.deepEqual([...explanation.mainEffects], [...Explanation.fromDocument(said.document).mainEffects]);
});

test("what is missing has no magnitude", () => {
  assert.equal(greatest([0.5, -2, Number.NaN]), 2);
  assert.equal(greatest([]), 0);
});
