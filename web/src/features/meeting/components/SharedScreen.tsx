import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon } from "../../../design/index.ts";
import type { Share } from "../model/call.ts";
import type { Rect } from "../model/layout.ts";
import { isProven } from "../model/proof.ts";
import { useSealed } from "../sealed/context.tsx";
import { rectStyle } from "./Tile.tsx";
import { Video } from "./Video.tsx";

/** Time enough to see that something is coming, and to stop it. */
const BLURRED_MS = 1_000;

/**
 * Whether this share is to be seen clearly: of somebody behind whose name nothing stands not in its
 * first second.
 */
function useIsClear({ identity, isSelf, video }: Share): boolean {
  const isTrusted = useSealed(({ members }) =>
    members.some((member) => member.identity === identity && isProven(member)),
  );
  const [cleared, setCleared] = useState<string | null>(null);
  const isWaiting = video !== null && !isSelf && !isTrusted && cleared !== identity;
  useEffect(() => {
    if (!isWaiting) return;
    const timer = setTimeout(() => setCleared(identity), BLURRED_MS);
    return () => clearTimeout(timer);
  }, [isWaiting, identity]);
  return !isWaiting;
}

/** A shared screen: whole, never cropped. A double tap or the button shows it in its own size. */
export function SharedScreen({ share, rect }: { share: Share; rect: Rect }) {
  const { t } = useTranslation("meeting");
  const [isZoomed, setZoomed] = useState(false);
  const isClear = useIsClear(share);
  const label = t("share.label", { name: share.name });
  return (
    <figure
      className={isZoomed ? "scr is-zoomed" : "scr"}
      style={rectStyle(rect)}
      data-identity={share.identity}
      onDoubleClick={() => setZoomed(!isZoomed)}
    >
      {share.video === null ? (
        <span className="mut">{t("share.waiting", { name: share.name })}</span>
      ) : (
        // A zoomed screen scrolls, so the keyboard must be able to reach it.
        <div
          className={isClear ? "scr__view" : "scr__view is-blurred"}
          tabIndex={isZoomed ? 0 : undefined}
        >
          <Video source={share.video} label={label} />
        </div>
      )}
      {!isClear && <p className="nametag scr__soon">{t("share.soon", { name: share.name })}</p>}
      {share.isSelf ? (
        <figcaption className="nametag nametag--right">
          <Icon name="eye" size={16} />
          {t("share.seen")}
        </figcaption>
      ) : (
        share.video !== null && (
          <Button
            className="scr__zoom"
            size="dense"
            variant="quiet"
            onPress={() => setZoomed(!isZoomed)}
          >
            {t(isZoomed ? "share.zoomOut" : "share.zoomIn")}
          </Button>
        )
      )}
    </figure>
  );
}
