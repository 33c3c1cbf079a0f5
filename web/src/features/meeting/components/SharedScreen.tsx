import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Button, Icon } from "../../../design/index.ts";
import type { Share } from "../model/call.ts";
import type { Rect } from "../model/layout.ts";
import { rectStyle } from "./Tile.tsx";
import { Video } from "./Video.tsx";

/** A shared screen: whole, never cropped. A double tap or the button shows it in its own size. */
export function SharedScreen({ share, rect }: { share: Share; rect: Rect }) {
  const { t } = useTranslation("meeting");
  const [isZoomed, setZoomed] = useState(false);
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
        <div className="scr__view" tabIndex={isZoomed ? 0 : undefined}>
          <Video source={share.video} label={label} />
        </div>
      )}
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
