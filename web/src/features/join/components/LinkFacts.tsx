import { useTranslation } from "react-i18next";
import { Button, Icon } from "../../../design/index.ts";
import { useCopyLink } from "../../../useCopyLink.ts";

/** For guests: what the link they followed does, in three lines. */
export function LinkFacts({ isKept }: { isKept: boolean }) {
  const { t } = useTranslation("join");
  return (
    <section className="door__facts">
      <h2 className="label">{t("link.title")}</h2>
      <ul>
        <li>
          <Icon name="link" />
          {t("link.everyone")}
        </li>
        <li>
          <Icon name="mic" />
          {t("link.may")}
        </li>
        <li>
          <Icon name="clock" />
          {t(isKept ? "link.untilCancelled" : "link.until")}
        </li>
      </ul>
    </section>
  );
}

export interface PersonalLinkFacts {
  /** As the host wrote it. */
  readonly name: string | null;
  /** The device that keeps the link: none yet, this one, or another. */
  readonly device: "none" | "this" | "other";
}

/** For who has a personal link: whose it is, and what that means. */
export function PersonalFacts({ personal: { name, device } }: { personal: PersonalLinkFacts }) {
  const { t } = useTranslation("join");
  return (
    <section className="door__facts">
      <h2 className="label">{t("personal.title")}</h2>
      <ul>
        {device === "other" ? (
          <li>
            <Icon name="device" />
            {name === null ? t("personal.otherNameless") : t("personal.other", { name })}
          </li>
        ) : (
          <>
            <li>
              <Icon name="link" />
              {name === null ? t("personal.mineNameless") : t("personal.mine", { name })}
            </li>
            <li>
              <Icon name="device" />
              {t(device === "this" ? "personal.bound" : "personal.binds")}
            </li>
            <li>
              <Icon name="mic" />
              {t("link.may")}
            </li>
          </>
        )}
      </ul>
    </section>
  );
}

/** For the host: the link to pass on. */
export function GuestLink({ link }: { link: string }) {
  const { t } = useTranslation(["join", "common"]);
  const copyLink = useCopyLink();
  return (
    <section className="door__facts">
      <h2 className="label">{t("invite.title")}</h2>
      <p className="door__link m">{link}</p>
      <p className="sm mut">{t("invite.text")}</p>
      <Button size="dense" icon="copy" onPress={() => void copyLink(link)}>
        {t("common:copyLink")}
      </Button>
    </section>
  );
}
