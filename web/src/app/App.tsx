import { QueryClientProvider } from "@tanstack/react-query";
import { useState } from "react";
import { I18nProvider } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { createQueryClient } from "../api/queries.ts";
import { ToastRegion } from "../design/index.ts";
import { useLocale } from "../i18n/index.ts";
import { FreshHost } from "../identity/FreshHost.tsx";
import { CrashBoundary } from "./CrashBoundary.tsx";
import { Routes } from "./Routes.tsx";

/** Everything that every page needs, around the routes. */
export function App() {
  const locale = useLocale();
  const { t } = useTranslation("common");
  const [client] = useState(createQueryClient);
  return (
    <I18nProvider locale={locale}>
      <QueryClientProvider client={client}>
        <CrashBoundary>
          <Routes />
        </CrashBoundary>
        <FreshHost />
        <ToastRegion label={t("toast.region")} closeLabel={t("toast.close")} />
      </QueryClientProvider>
    </I18nProvider>
  );
}
