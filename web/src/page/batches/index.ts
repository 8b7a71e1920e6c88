export { BatchesPage } from "./BatchesPage.tsx";
export { BatchPage } from "./BatchPage.tsx";
