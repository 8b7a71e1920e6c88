import { useState } from "preact/hooks";
import { Choice } from "./Field.tsx";
import { setTheme, storedTheme, type Theme } from "./theme.ts";

const OPTIONS = [
  { value: "auto", label: "Auto" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
] as const satisfies readonly { value: Theme; label: string }[];

export function ThemeChoice() {
  const [theme, remember] = useState(storedTheme);
  const choose = (chosen: Theme) => {
    setTheme(chosen);
    remember(chosen);
  };
  return <Choice label="Colours" hideLabel options={OPTIONS} value={theme} onChange={choose} />;
}
