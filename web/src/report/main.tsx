/** The report: one explanation in one file, with all its views, that asks no service for anything. */
import "../ui/theme.css";
import "./report.css";
import { render } from "preact";
import type { ReportDocument } from "../explanation/index.ts";
import { showTheme, storedTheme } from "../ui/index.ts";
import { Report } from "./Report.tsx";

showTheme(storedTheme());

const embedded = document.getElementById("document")?.textContent ?? "";
const place = document.getElementById("report");
if (place) render(<Report report={JSON.parse(embedded) as ReportDocument} />, place);
