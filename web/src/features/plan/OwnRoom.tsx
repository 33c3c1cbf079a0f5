import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import "./plan.css";
import { meetingsKey } from "../../api/queries.ts";
import { Button, Dialog, showToast } from "../../design/index.ts";
import { meetingPath } from "../../links.ts";
import { keepFragment } from "../../sealing/keys/address.ts";
import { useCopyLink } from "../../useCopyLink.ts";
import type { OwnRoomRequest } from "./contract.ts";
import { makeOwnRoom, renewOwnRoom } from "./planning.ts";
import { useFaultText } from "./usePlanWords.ts";

/** A room with a link that stays, made when it is first wanted. */
export default function OwnRoom({ userId, room, keys }: OwnRoomRequest) {
  const { t } = useTranslation(["plan", "common", "vault"]);
  const [, navigate] = useLocation();
  const copyLink = useCopyLink();
  const faultText = useFaultText();
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const make = useMutation({
    mutationFn: (before: string | null) =>
      before === null ? makeOwnRoom(userId) : renewOwnRoom(userId, before),
    onSettled: () => {
      setAsking(false);
      return client.invalidateQueries({ queryKey: meetingsKey });
    },
    onSuccess: (_made, before) => showToast(t(before === null ? "own.made" : "own.renewed")),
    onError: (error) => showToast(faultText(error)),
  });
  const key = room === null ? undefined : keys.rooms.get(room.id);
  const isUnable = keys.status === "unable" ? t("vault:unable.title") : undefined;

  return (
    <section className="ownroom" aria-labelledby="own-room">
      <h2 className="label" id="own-room">
        {t("own.title")}
      </h2>
      {room !== null && <p className="b start__url">{room.url.replace(/^https?:\/\//, "")}</p>}
      <p className="sm mut">{t("own.text")}</p>
      {room !== null && key === undefined && keys.status !== "opening" && (
        <p className="sm c-caution">{t("own.noKey")}</p>
      )}
      <div className="row row-2 wrap">
        {room === null ? (
          <Button
            size="dense"
            icon="keyhole"
            isBusy={make.isPending}
            disabledReason={isUnable}
            onPress={() => make.mutate(null)}
          >
            {t(make.isPending ? "own.making" : "own.make")}
          </Button>
        ) : (
          <>
            {key !== undefined && (
              <>
                <Button
                  size="dense"
                  aria-label={t("own.openLabel")}
                  onPress={() => {
                    keepFragment(room.id, key.fragment);
                    navigate(meetingPath(room.id));
                  }}
                >
                  {t("own.open")}
                </Button>
                <Button
                  size="dense"
                  icon="copy"
                  onPress={() => void copyLink(room.url + key.fragment)}
                >
                  {t("own.copy")}
                </Button>
              </>
            )}
            <Button
              size="dense"
              variant="quiet"
              disabledReason={isUnable}
              onPress={() => setAsking(true)}
            >
              {t("own.renew")}
            </Button>
          </>
        )}
      </div>
      {isAsking && room !== null && (
        <Dialog
          isOpen
          isAlert
          title={t("own.renewTitle")}
          onClose={() => setAsking(false)}
          actions={
            <>
              <Button variant="line" onPress={() => setAsking(false)}>
                {t("common:cancel")}
              </Button>
              <Button variant="danger" isBusy={make.isPending} onPress={() => make.mutate(room.id)}>
                {t(make.isPending ? "own.renewing" : "own.renew")}
              </Button>
            </>
          }
        >
          <p className="dialog__text">{t("own.renewText")}</p>
          {room.participants > 0 && (
            <p className="dialog__text">{t("cancel.people", { count: room.participants })}</p>
          )}
        </Dialog>
      )}
    </section>
  );
}
