import assert from "node:assert/strict";
import { test } from "node:test";
import {
  colour,
  diverging,
  exponent,
  inkOn,
  inPowers,
  signed,
  ticks,
  unit,
  withError,
} from "../src/explanation/index.ts";
import { truth } from "./truth.ts";

const { scale } = truth;

test("colours are those of the figures", () => {
  for (const [value, limit, rgb] of scale.colours) {
    diverging(value, limit).forEach((channel, k) => {
      assert.ok(Math.abs(channel - (rgb[k] ?? Number.NaN)) < 1e-9);
    });
  }
  assert.equal(colour(0, 1), "rgb(247 247 247)");
  assert.deepEqual(diverging(Number.NaN, 1), diverging(0, 1));
  assert.deepEqual(diverging(3, 0), diverging(0, 1));
});

test("ticks are those of the figures", () => {
  for (const [limit, expected] of scale.ticks) {
    const found = ticks(limit);
    assert.equal(found.length, expected.length, `${limit}: ${found} is not ${expected}`);
    found.forEach((tick, k) => {
      assert.ok(Math.abs(tick - (expected[k] ?? Number.NaN)) <= 1e-12 * limit);
    });
  }
});

test("numbers and units are written as in the figures", () => {
  for (const [value, text] of scale.signed) assert.equal(signed(value), text);
  for (const [limit, text] of scale.powers) assert.equal(inPowers("effect", exponent(limit)), text);
  assert.equal(unit("logit"), scale.unit);
});

test("text on a colour of the scale has the contrast that WCAG 2 asks for", () => {
  const luminance = (rgb: readonly number[]) => {
    const [red = 0, green = 0, blue = 0] = rgb.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const inks = { "#000000": [0, 0, 0], "#ffffff": [1, 1, 1] };
  for (let share = -1; share <= 1; share += 1 / 64) {
    const ground = diverging(share, 1);
    const ink = inkOn(ground);
    assert.ok(ink === "#000000" || ink === "#ffffff");
    const [dark = 0, light = 0] = [luminance(ground), luminance(inks[ink])].sort((a, b) => a - b);
    assert.ok((light + 0.05) / (dark + 0.05) >= 4.5, `${ink} at ${share}`);
  }
});

test("a value has the decimals of its standard error", () => {
  const written: [number, number, string][] = [
    [3.5712, 0.2931, "+3.57 ± 0.29"],
    [1.5, 0.3151, "+1.50 ± 0.32"],
    [3.01, 0.0548, "+3.010 ± 0.055"],
    [-0.12345, 0.0996, "−0.12 ± 0.10"],
    [0, 0.5, "+0.00 ± 0.50"],
    [-123.4, 25.6, "−123 ± 26"],
    [-1.2e-7, 2.5e-8, "−1.2e−07 ± 2.5e−08"],
    [31234, 12, "+3.1e+04 ± 12"],
    [0.25, 0, "+0.25 ± 0"],
    [0.5, Number.NaN, "+0.5"],
  ];
  for (const [value, stdError, text] of written) assert.equal(withError(value, stdError), text);
});
