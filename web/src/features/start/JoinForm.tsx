import { type FormEvent, useState } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { Button, Icon, TextField } from "../../design/index.ts";
import { exampleLink, meetingPath, parseMeetingReference } from "../../links.ts";
import { keepFragment } from "../../sealing/keys/address.ts";
import { formatFragment, parseFragment } from "../../sealing/keys/link.ts";

/** One field for whatever people were given: a link, a path, a bare code. */
export function JoinForm({ isLabelHidden = false }: { isLabelHidden?: boolean }) {
  const { t } = useTranslation("start");
  const [, navigate] = useLocation();
  const [text, setText] = useState("");
  const [error, setError] = useState<string>();

  /** A whole key goes on in memory; one that is damaged stays, so that the door can say so. */
  function enter(id: string, fragment: string): void {
    const found = parseFragment(fragment);
    if (found.type === "link") keepFragment(id, formatFragment(found.link));
    navigate(meetingPath(id, found.type === "damaged" ? fragment : ""));
  }

  function submit(event: FormEvent): void {
    event.preventDefault();
    const reference = parseMeetingReference(text, location.origin);
    switch (reference.kind) {
      case "meeting":
        enter(reference.id, reference.fragment);
        break;
      case "empty":
        setError(t("join.empty"));
        break;
      case "foreign":
        setError(t("join.foreign", { host: reference.host }));
        break;
      case "unreadable":
        setError(t("join.unreadable", { example: exampleLink(location.origin) }));
        break;
    }
  }

  return (
    <form className="joinform" onSubmit={submit} noValidate>
      <TextField
        label={t("join.label")}
        isLabelHidden={isLabelHidden}
        placeholder={isLabelHidden ? t("join.label") : t("join.placeholder")}
        value={text}
        onChange={(value) => {
          setText(value);
          setError(undefined);
        }}
        error={error}
        autoComplete="off"
        spellCheck="false"
        inputMode="url"
        before={<Icon name="link" className="mut3" />}
        after={
          <Button type="submit" variant="quiet" size="dense">
            {t("join.button")}
          </Button>
        }
      />
    </form>
  );
}
