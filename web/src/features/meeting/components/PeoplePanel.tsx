import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useRemoveParticipant } from "../../../api/queries.ts";
import { useErrorText } from "../../../api/useErrorText.ts";
import { Button, Dialog, Icon, IconButton, showToast, TextField } from "../../../design/index.ts";
import type { Person } from "../model/call.ts";
import { useCopyLink } from "./Alone.tsx";
import { useCall, useMeeting } from "./context.tsx";
import { PersonRow } from "./PersonRow.tsx";

const SEARCH_ABOVE = 10;

/** Everybody in the room in order of arrival. Nobody is hidden. */
export function PeoplePanel() {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  const people = useCall((call) => call.people);
  const [wanted, setWanted] = useState("");
  const [removing, setRemoving] = useState<Person | null>(null);
  const invite = useCopyLink();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);

  const found = people.filter((person) =>
    person.name.toLocaleLowerCase().includes(wanted.trim().toLocaleLowerCase()),
  );
  return (
    <aside className="panel" aria-label={t("regions.people")} data-region="panel" tabIndex={-1}>
      <header>
        <h2 className="h3 grow" ref={heading} tabIndex={-1}>
          {t("people.heading")} <span className="mut3 num">{people.length}</span>
        </h2>
        <Button
          variant="quiet"
          size="dense"
          icon={invite.state === "copied" ? "check" : "user-plus"}
          onPress={invite.copy}
        >
          {t(invite.state === "copied" ? "alone.copied" : "people.invite")}
        </Button>
        <IconButton
          icon="x"
          size="dense"
          label={t("people.close")}
          onPress={() => view.setPanel(null)}
        />
      </header>
      <div className="body">
        <p className="sec__note sm" role="status">
          {invite.state === "failed" ? t("alone.failed") : ""}
        </p>
        {people.length > SEARCH_ABOVE && (
          <div className="sec">
            <TextField
              label={t("people.search")}
              isLabelHidden
              placeholder={t("people.search")}
              value={wanted}
              onChange={setWanted}
              before={<Icon name="search" size={18} />}
            />
          </div>
        )}
        <section className="sec">
          <h3>
            <span>{t("people.inRoom")}</span>
            <span className="mut3 xs">{t("people.order")}</span>
          </h3>
          {found.length === 0 ? (
            <p className="sm mut">{t("people.nobody")}</p>
          ) : (
            <ul className="persons">
              {found.map((person) => (
                <PersonRow key={person.identity} person={person} onRemove={setRemoving} />
              ))}
            </ul>
          )}
        </section>
      </div>
      <RemoveDialog person={removing} onClose={() => setRemoving(null)} />
    </aside>
  );
}

function RemoveDialog({ person, onClose }: { person: Person | null; onClose(): void }) {
  const { t } = useTranslation("meeting");
  const { meetingId } = useMeeting();
  const remove = useRemoveParticipant(meetingId);
  const errorText = useErrorText();
  const name = person?.name ?? "";
  const onYes = () => {
    if (person === null) return;
    remove.mutate(person.identity, {
      onSuccess: () => showToast(t("people.removed", { name })),
      onError: (error) => showToast(t("people.failed", { problem: errorText(error) })),
      onSettled: onClose,
    });
  };
  return (
    <Dialog
      isAlert
      title={t("people.removeTitle", { name })}
      isOpen={person !== null}
      onClose={onClose}
      actions={
        <>
          <Button onPress={onClose}>{t("people.cancel")}</Button>
          <Button variant="danger" isBusy={remove.isPending} onPress={onYes}>
            {t("people.removeYes")}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t("people.removeText", { name })}</p>
    </Dialog>
  );
}
