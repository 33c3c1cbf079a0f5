import { memo } from "react";
import { useTranslation } from "react-i18next";
import { PageTitle, SkipLink } from "../../../design/index.ts";
import { Banners } from "./Banners.tsx";
import { Connecting } from "./Connecting.tsx";
import { ControlBar } from "./ControlBar.tsx";
import { useView } from "./context.tsx";
import { DevicesDialog } from "./DevicesDialog.tsx";
import { PeoplePanel } from "./PeoplePanel.tsx";
import { SealDialog, SealNotice } from "./Seal.tsx";
import { SelfDialog } from "./SelfView.tsx";
import { ShortcutsDialog } from "./ShortcutsDialog.tsx";
import { Stage } from "./Stage.tsx";
import { TopBar } from "./TopBar.tsx";
import { useNotices } from "./useNotices.ts";
import { useShortcuts } from "./useShortcuts.ts";

/** The room: an ink stage, and sheets of paper beside it. */
export const MeetingPage = memo(function MeetingPage() {
  const { t } = useTranslation("meeting");
  useNotices();
  useShortcuts();
  const isPanelOpen = useView((state) => state.panel === "people");
  return (
    <div className="room room--unsealed">
      <SkipLink>{t("skip")}</SkipLink>
      <div className="stage on-stage">
        <section className="head" aria-label={t("regions.top")} data-region="top" tabIndex={-1}>
          <SealNotice />
          <TopBar />
          <Banners />
        </section>
        <main
          id="main"
          className="mid"
          aria-label={t("regions.stage")}
          data-region="stage"
          tabIndex={-1}
        >
          <div className="vh">
            <PageTitle title={t("title")}>{t("title")}</PageTitle>
          </div>
          {/* Measured while still coming in, so that the first picture finds its place ready. */}
          <Stage />
          <Connecting />
        </main>
        <ControlBar />
      </div>
      {isPanelOpen && <PeoplePanel />}
      <SealDialog />
      <ShortcutsDialog />
      <DevicesDialog />
      <SelfDialog />
    </div>
  );
});
