/** The parts that every view is made of. They know nothing of explanations but the scale of their colours. */
import "./theme.css";
import "./ui.css";
import "./parts.css";

export * from "./address.ts";
export * from "./Button.tsx";
export * from "./Dialog.tsx";
export * from "./Facts.tsx";
export * from "./Field.tsx";
export * from "./Legend.tsx";
export * from "./Problem.tsx";
export * from "./Progress.tsx";
export * from "./Slider.tsx";
export * from "./Tabs.tsx";
export * from "./ThemeChoice.tsx";
export * from "./theme.ts";
