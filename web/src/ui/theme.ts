/** Light, dark, or as the system is: kept on this device, for the page and its reports. */

const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "fixlip-theme";

export function storedTheme(): Theme {
  return THEMES.find((theme) => theme === attempt(() => localStorage.getItem(KEY))) ?? "auto";
}

/** Shows the theme from now on, and remembers it. */
export function setTheme(theme: Theme): void {
  showTheme(theme);
  attempt(() => (theme === "auto" ? localStorage.removeItem(KEY) : localStorage.setItem(KEY, theme)));
}

export function showTheme(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

/** Undefined where the browser keeps nothing: in private windows, in files. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
