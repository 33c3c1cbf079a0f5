import { useTranslation } from "react-i18next";
import {
  ControlBox,
  Menu,
  type MenuEntry,
  type MenuGroup,
  showToast,
  THEMES,
  type Theme,
  useTheme,
} from "../../../design/index.ts";
import {
  LANGUAGE_NAMES,
  LANGUAGES,
  type Language,
  switchLanguage,
  useLanguage,
} from "../../../i18n/index.ts";
import { othersOf } from "../model/call.ts";
import { REACTIONS } from "../model/chatText.ts";
import { NORMAL_PAGE } from "../model/layout.ts";
import { canSpeakerView, type ViewChoice } from "../model/stage.ts";
import { useFreezeRoom } from "../sealed/CleanRoom.tsx";
import { useIsLeading, useSealedMeeting } from "../sealed/context.tsx";
import { REACTION_ICONS } from "../sealed/Reactions.tsx";
import { useMay, useShareBar } from "../sealed/useOwnRights.ts";
import { useCall, useMeeting, useView } from "./context.tsx";
import { toggleFullscreen, useIsFullscreen } from "./hooks.ts";

/** The picture that goes into the small window: the large one, else who speaks, else the first. */
function pictureForWindow(): HTMLVideoElement | null {
  for (const place of [".scr", ".tile--large", ".tile.speaking", ".tile"]) {
    const video = document.querySelector<HTMLVideoElement>(`${place} video`);
    if (video !== null) return video;
  }
  return null;
}

/** What is needed now and then: window, view, devices, keys, appearance, language. */
export function MoreMenu({ isPhone }: { isPhone: boolean }) {
  const { t } = useTranslation("meeting");
  const common = useTranslation("common").t;
  const sealed = useTranslation("sealed").t;
  const { actions } = useSealedMeeting();
  const { session, view } = useMeeting();
  const isLeading = useIsLeading();
  const mayReact = useMay("reactions");
  const shareBar = useShareBar();
  const freezeRoom = useFreezeRoom();
  const language = useLanguage();
  const { theme, setTheme } = useTheme();
  const isFullscreen = useIsFullscreen();
  const others = useCall((call) => othersOf(call).length);
  const hasPicture = useCall(
    (call) => call.share !== null || othersOf(call).some((person) => person.camera !== null),
  );
  const canShare = useCall((call) => call.canShare);
  const isSharing = useCall((call) => call.shareState === "on");
  const { view: choice, isSelfHidden, wantsMany } = useView((state) => state);

  const things: MenuEntry[] = [];
  if (isPhone && canShare && (isSharing || shareBar === null)) {
    const icon = isSharing ? "share-stop" : "share";
    things.push({ id: "share", label: t(isSharing ? "menu.stopShare" : "menu.share"), icon });
  }
  things.push({ id: "devices", label: t("menu.devices"), icon: "mic" });
  if (document.fullscreenEnabled) {
    const label = t(isFullscreen ? "menu.exitFullscreen" : "menu.fullscreen");
    things.push({ id: "fullscreen", label, icon: "fullscreen" });
  }
  if (document.pictureInPictureEnabled && hasPicture) {
    things.push({ id: "pip", label: t("menu.pip"), icon: "pip" });
  }
  things.push({
    id: "self",
    label: t(isSelfHidden ? "menu.selfShow" : "menu.selfHide"),
    icon: isSelfHidden ? "eye" : "eye-off",
  });
  if (others > NORMAL_PAGE && !isPhone) {
    things.push({ id: "many", label: t(wantsMany ? "menu.few" : "menu.many"), icon: "grid" });
  }
  things.push({ id: "figures", label: t("menu.figures"), icon: "weak" });
  things.push({ id: "shortcuts", label: t("menu.shortcuts"), icon: "keyboard" });
  things.push({ id: "report", label: sealed("report.open"), icon: "flag" });
  if (isLeading) {
    things.push({ id: "clean", label: sealed("clean.open"), icon: "leave", isDanger: true });
  }

  const groups: MenuGroup[] = [];
  if (isPhone && mayReact) {
    // The bar has no room for it there.
    groups.push({
      id: "react",
      title: sealed("react.title"),
      entries: REACTIONS.map(({ id, emoji }) => ({
        id: emoji,
        label: sealed(`react.${id}`),
        icon: REACTION_ICONS[id],
      })),
    });
  }
  // Behind another group it needs its name.
  const window = isPhone ? { title: t("menu.window") } : { label: t("menu.window") };
  groups.push({ id: "things", ...window, entries: things });
  if (canSpeakerView(others)) {
    groups.push({
      id: "view",
      title: t("menu.view"),
      selectedId: choice,
      entries: (["automatic", "grid", "speaker"] as const).map((id) => ({
        id,
        label: t(`menu.${id}`),
      })),
    });
  }
  groups.push(
    {
      id: "theme",
      title: common("theme.label"),
      selectedId: theme,
      entries: THEMES.map((id) => ({ id, label: common(`theme.${id}`) })),
    },
    {
      id: "language",
      title: t("menu.language"),
      selectedId: language,
      entries: LANGUAGES.map((id) => ({ id, label: LANGUAGE_NAMES[id] })),
    },
  );

  const onThing: Record<string, () => void> = {
    share: () => void session.media.setShare(!isSharing),
    devices: () => view.show("devices"),
    fullscreen: toggleFullscreen,
    pip: () => {
      const failed = () => showToast(t("toast.pipFailed"));
      pictureForWindow()?.requestPictureInPicture().catch(failed);
    },
    self: () => view.setState({ isSelfHidden: !isSelfHidden }),
    many: () => view.setState({ wantsMany: !wantsMany }),
    figures: () => view.setPanel("figures"),
    shortcuts: () => view.show("shortcuts"),
    report: () => view.setState({ dialog: "report", reportAbout: null }),
    clean: freezeRoom,
  };
  const onAction = (id: string, group: string) => {
    if (group === "react") void actions.react(id);
    else if (group === "view") view.setView(id as ViewChoice);
    else if (group === "theme") setTheme(id as Theme);
    else if (group === "language") void switchLanguage(id as Language);
    else onThing[id]?.();
  };
  return (
    <Menu
      label={t("menu.label")}
      placement="top end"
      groups={groups}
      onAction={onAction}
      trigger={<ControlBox icon="more" label={t("controls.more")} />}
    />
  );
}
