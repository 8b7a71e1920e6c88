import "../ui/index.ts";
import "./page.css";

import { render } from "preact";

import { showTheme, storedTheme } from "../ui/index.ts";
import { App } from "./App.tsx";
import { followAddress } from "./routing.ts";

showTheme(storedTheme());
followAddress();
const root = document.getElementById("page");
if (root) render(<App />, root);
