import { useTranslation } from "react-i18next";
import { Button, Dialog, QrCode } from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { useCopyLink } from "../../useCopyLink.ts";
import type { MadeLink } from "./MembersPage.tsx";

/** A one-time link, shown once: to be copied, or read off this screen with a camera. */
export function LinkDialog({ link, onClose }: { link: MadeLink; onClose(): void }) {
  const { t } = useTranslation("members");
  const copyLink = useCopyLink();
  const locale = useLocale();
  const until = new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "short" }).format(
    new Date(link.expires_at),
  );
  return (
    <Dialog
      isOpen
      isAlert
      title={t(`link.${link.why}.title`)}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" icon="copy" onPress={() => void copyLink(link.url)}>
            {t("link.copy")}
          </Button>
          <Button variant="primary" onPress={onClose}>
            {t("link.done")}
          </Button>
        </>
      }
    >
      {link.isMailed && <p className="dialog__text">{t("link.mailed")}</p>}
      {link.mailError !== null && (
        <p className="dialog__text c-caution">{t(`link.notMailed.${link.mailError}`)}</p>
      )}
      <p className="dialog__text">{t(`link.${link.why}.text`, { until })}</p>
      <div className="mem__link">
        <QrCode text={link.url} label={t("link.qr")} />
        <p className="mem__url">
          <code>{link.url}</code>
        </p>
      </div>
    </Dialog>
  );
}
