import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { type Control, controlsOf, expected, read, readAll, textsOf } from "../../src/page/new/schema.ts";

const { schemas } = JSON.parse(readFileSync(`${import.meta.dirname}/../../../openapi/openapi.json`, "utf8")).components;
const fixlip = controlsOf(schemas.FixlipParameters);

function control(name: string, of: readonly Control[] = fixlip): Control {
  const found = of.find((one) => one.name === name);
  assert.ok(found, name);
  return found;
}

test("every parameter of every method has a control whose default it reads", () => {
  for (const [name, schema] of Object.entries<never>(schemas)) {
    if (!name.endsWith("Parameters")) continue;
    for (const one of controlsOf(schema)) {
      const reading = one.initial === "" && !one.isNullable ? null : read(one, one.initial);
      assert.ok(reading && "value" in reading, `${name}.${one.name}`);
      assert.ok(one.title && one.description, `${name}.${one.name}`);
    }
  }
});

test("numbers are held to their ranges, and may be words", () => {
  const budget = control("budget");
  assert.deepEqual(read(budget, " 512 "), { value: 512 });
  assert.deepEqual(read(budget, "auto"), { value: "auto" });
  const problem = { problem: "must be a whole number from 8 to 65,536, or auto" };
  for (const text of ["7", "65537", "8.5", "", "many", "1e999"]) assert.deepEqual(read(budget, text), problem, text);
  assert.deepEqual(read(control("p"), "0.25"), { value: 0.25 });
  assert.deepEqual(read(control("p"), "1"), { problem: "must be a number above 0 below 1" });
});

test("an empty field is null where that is possible", () => {
  assert.deepEqual(read(control("text_passes"), ""), { value: null });
  assert.deepEqual(read(control("text_removal"), ""), { value: null });
});

test("choices keep their types", () => {
  assert.deepEqual(control("order").words, ["1", "2"]);
  assert.deepEqual(read(control("order"), "1"), { value: 1 });
  assert.deepEqual(read(control("text_players"), "word"), { value: "word" });
});

test("what is neither number nor word is written as JSON", () => {
  const boxes = control("boxes");
  assert.deepEqual(read(boxes, "[[0, 0, 8, 8]]"), { value: [[0, 0, 8, 8]] });
  assert.ok("problem" in read(boxes, "[[0, 0"));
});

test("a form asks for what was changed, and names what is wrong", () => {
  const texts = { budget: "64", p: "0.5", order: "1", boxes: "[[", seed: "-1" };
  const { params, problems } = readAll(fixlip, texts);
  assert.deepEqual(params, { budget: 64, order: 1 });
  assert.deepEqual(Object.keys(problems).sort(), ["boxes", "seed"]);
  assert.equal(problems.seed, `must be ${expected(control("seed"))}`);
});

test("a job's parameters fill the form again, but for a label map, of which it has the digest alone", () => {
  const params = { budget: 128, p: 0.5, order: 2, regions: "sha256:00", boxes: [[0, 0, 8, 8]], text_removal: null };
  assert.deepEqual(textsOf(fixlip, params), { budget: "128", boxes: "[[0,0,8,8]]" });
});
