import { lazy, Suspense, useState } from "react";
import { useTranslation } from "react-i18next";
import { type DeviceLink, useDeviceLinks } from "../../../api/deviceLinks.ts";
import { Button } from "../../../design/index.ts";
import { withLaterTexts } from "../../../i18n/index.ts";
import { useBrowserName } from "../../../identity/useBrowserName.ts";
import { Notice } from "../Notice.tsx";

const HandOverDialog = lazy(() => withLaterTexts(import("./HandOverDialog.tsx")));

/** Another browser of the same person asks for the keys. Shown where the key ring is open. */
export default function AskNotice({ userId }: { userId: string }) {
  const { t } = useTranslation("vault");
  const links = useDeviceLinks(true);
  const browserName = useBrowserName();
  const [looking, setLooking] = useState<DeviceLink | null>(null);
  const asking = links.data?.find(({ state }) => state === 0);
  return (
    <>
      {asking && looking === null && (
        <Notice
          icon="device"
          title={t("ask.title")}
          action={
            <Button size="dense" onPress={() => setLooking(asking)}>
              {t("ask.button")}
            </Button>
          }
        >
          {t("ask.text", { browser: browserName(asking.browser) })}
        </Notice>
      )}
      {looking && (
        <Suspense>
          <HandOverDialog
            userId={userId}
            link={looking}
            secret={null}
            onClose={() => {
              setLooking(null);
              void links.refetch();
            }}
          />
        </Suspense>
      )}
    </>
  );
}
