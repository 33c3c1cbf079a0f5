import { memo } from "react";
import { useTranslation } from "react-i18next";
import { PageTitle, SkipLink } from "../../../design/index.ts";
import { Report } from "../report/Report.tsx";
import { ChatPanel } from "../sealed/ChatPanel.tsx";
import { CleanRoom, FrozenBar } from "../sealed/CleanRoom.tsx";
import { useSealed } from "../sealed/context.tsx";
import { DoorBar, LeaderLostBar } from "../sealed/DoorList.tsx";
import { LockHint } from "../sealed/LockHint.tsx";
import { FloatingReactions } from "../sealed/Reactions.tsx";
import { SealDialog } from "../sealed/SealDialog.tsx";
import { SealedPeoplePanel } from "../sealed/SealedPeoplePanel.tsx";
import { SealBroken, SealNotice } from "../sealed/SealNotice.tsx";
import { useSealedNotices } from "../sealed/useSealedNotices.ts";
import { Banners } from "./Banners.tsx";
import { Connecting } from "./Connecting.tsx";
import { ControlBar } from "./ControlBar.tsx";
import { useView } from "./context.tsx";
import { DevicesDialog } from "./DevicesDialog.tsx";
import { FiguresPanel } from "./FiguresPanel.tsx";
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
  useSealedNotices();
  useShortcuts();
  const panel = useView((state) => state.panel);
  const isUnsealed = useSealed(({ seal }) => seal.type === "not-sealed" || seal.type === "broken");
  return (
    <div className={isUnsealed ? "room room--unsealed" : "room"}>
      <SkipLink>{t("skip")}</SkipLink>
      <div className="stage on-stage">
        <section className="head" aria-label={t("regions.top")} data-region="top" tabIndex={-1}>
          <SealNotice />
          <TopBar />
          <FrozenBar />
          <LeaderLostBar />
          <DoorBar />
          <LockHint />
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
          <FloatingReactions />
        </main>
        <ControlBar />
      </div>
      {panel === "people" && <SealedPeoplePanel />}
      {panel === "chat" && <ChatPanel />}
      {panel === "figures" && <FiguresPanel />}
      <SealDialog />
      <CleanRoom />
      <Report />
      <SealBroken />
      <ShortcutsDialog />
      <DevicesDialog />
      <SelfDialog />
    </div>
  );
});
