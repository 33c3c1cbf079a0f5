import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Menu } from "../../../design/index.ts";
import type { Copying } from "../components/Alone.tsx";
import { useMeeting } from "../components/context.tsx";
import { useIsHost, useSealed } from "./context.tsx";
import { useRoomWithin } from "./useRoomWithin.ts";

/** Copies the link for everybody; the host may make personal ones, too. */
export function InviteControl({ copying }: { copying: Copying }) {
  const { t } = useTranslation("meeting");
  const { invite, meetingId, guestLink } = useMeeting();
  const isHost = useIsHost();
  const title = useSealed((sealed) => sealed.title);
  const within = useRoomWithin();
  const [isInviting, setInviting] = useState(false);
  const isCopied = copying.state === "copied";
  const look = {
    variant: "quiet",
    size: "dense",
    icon: isCopied ? "check" : "user-plus",
    children: t(isCopied ? "alone.copied" : "people.invite"),
  } as const;
  if (!isHost || invite === null) return <Button {...look} onPress={copying.copy} />;
  return (
    <>
      <Menu
        label={t("people.invite")}
        trigger={<Button {...look} />}
        groups={[
          {
            id: "invite",
            label: t("people.invite"),
            entries: [
              { id: "copy", label: t("people.copyForAll"), icon: "copy" },
              { id: "personal", label: t("people.personalLinks"), icon: "people" },
            ],
          },
        ]}
        onAction={(id) => (id === "copy" ? copying.copy() : setInviting(true))}
      />
      {isInviting &&
        invite({
          meetingId,
          url: guestLink.split("#", 1)[0] ?? guestLink,
          title: title ?? "",
          within,
          onClose: () => setInviting(false),
        })}
    </>
  );
}
