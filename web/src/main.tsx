import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app/App.tsx";
import "./design/css/index.css";
import "./features/join/join.css";
import "./features/start/start.css";
import { applyTheme, asTheme } from "./design/theme.ts";
import { startI18n } from "./i18n/index.ts";
import { readSetting } from "./storage.ts";

const root = document.getElementById("root");
if (root) {
  applyTheme(asTheme(readSetting("theme")));
  await startI18n();
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
