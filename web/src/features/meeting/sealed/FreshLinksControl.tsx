import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button } from "../../../design/index.ts";
import { useMeeting } from "../components/context.tsx";
import type { Candidate } from "../model/cleaning.ts";
import { freshFor } from "../model/freshLinks.ts";
import { useIsHost, useSealed } from "./context.tsx";
import { useRoomWithin } from "./useRoomWithin.ts";

export interface FreshLinksControlProps {
  gone: readonly Candidate[];
  stayed: readonly Candidate[];
}

/** After cleaning, for the host: links of their own for those who stay, in place of what they have. */
export function FreshLinksControl({ gone, stayed }: FreshLinksControlProps) {
  const { t } = useTranslation("sealed");
  const { invite, meetingId, guestLink } = useMeeting();
  const isHost = useIsHost();
  const title = useSealed((sealed) => sealed.title);
  const within = useRoomWithin();
  // As it was when the room was cleaned: the list must not move under the hand.
  const members = useSealed((sealed) => sealed.members);
  const [fresh] = useState(() => freshFor({ gone, stayed }, members));
  const [isOpen, setOpen] = useState(false);
  if (!isHost || invite === null || fresh.length === 0) return null;
  return (
    <section className="sealpart">
      <h3>{t("fresh.title")}</h3>
      <p className="sm mut">{t("fresh.text")}</p>
      <p className="fresh__act">
        <Button icon="link" onPress={() => setOpen(true)}>
          {t("fresh.make")}
        </Button>
      </p>
      {isOpen &&
        invite({
          meetingId,
          url: guestLink.split("#", 1)[0] ?? guestLink,
          title: title ?? "",
          within,
          fresh,
          onClose: () => setOpen(false),
        })}
    </section>
  );
}
