import { useState } from "react";
import { useTranslation } from "react-i18next";
import { asApiError } from "../../api/errors.ts";
import { type MailFault, type Members, type OneTimeLink, useMembers } from "../../api/members.ts";
import { useSession } from "../../api/queries.ts";
import { useErrorText } from "../../api/useErrorText.ts";
import { Button, PageTitle, useSlowly } from "../../design/index.ts";
import { Invitations } from "./Invitations.tsx";
import { InviteDialog } from "./InviteDialog.tsx";
import { LinkDialog } from "./LinkDialog.tsx";
import { MemberList } from "./MemberList.tsx";
import "./members.css";

/** A link that was made just now, with why it was made. */
export interface MadeLink extends OneTimeLink {
  readonly why: "invitation" | "reset";
  /** The mail went off. */
  readonly isMailed: boolean;
  readonly mailError: MailFault | null;
}

/** `/members`: who has an account here. Counts and dates, nothing of what they say. */
export default function MembersPage() {
  const { t } = useTranslation(["members", "common"]);
  const members = useMembers();
  const errorText = useErrorText();
  const isSlow = useSlowly();
  const [isInviting, setInviting] = useState(false);
  const [made, setMade] = useState<MadeLink | null>(null);
  const isForbidden = members.isError && asApiError(members.error).code === "forbidden";

  return (
    <main id="main" className="page mem">
      <header className="mem__head">
        <PageTitle title={t("title")}>{t("heading")}</PageTitle>
        {members.data && (
          <Button variant="primary" icon="user-plus" onPress={() => setInviting(true)}>
            {t("invite.button")}
          </Button>
        )}
      </header>
      {members.data === undefined && members.isError && (
        <div className="mem__note" role="alert">
          <p>{isForbidden ? t("forbidden") : errorText(members.error)}</p>
          {!isForbidden && (
            <Button size="dense" onPress={() => void members.refetch()}>
              {t("common:retry")}
            </Button>
          )}
        </div>
      )}
      {members.data === undefined && !members.isError && isSlow && (
        <p className="mem__note" role="status">
          {t("loading")}
        </p>
      )}
      {members.data && <Lists members={members.data} onMade={setMade} />}
      {isInviting && members.data && (
        <InviteDialog
          canMail={members.data.can_mail}
          onMade={(link) => {
            setInviting(false);
            setMade(link);
          }}
          onClose={() => setInviting(false)}
        />
      )}
      {made && <LinkDialog link={made} onClose={() => setMade(null)} />}
    </main>
  );
}

function Lists({ members, onMade }: { members: Members; onMade(link: MadeLink): void }) {
  const { t } = useTranslation("members");
  const session = useSession();
  return (
    <>
      <section aria-labelledby="members-list">
        <h2 className="label" id="members-list">
          {t("list", { count: members.members.length })}
        </h2>
        <MemberList members={members.members} ownId={session.data?.id ?? ""} onMade={onMade} />
        {members.members.length < 2 && <p className="mem__note mut">{t("empty")}</p>}
      </section>
      {members.invitations.length > 0 && (
        <section aria-labelledby="open-invitations">
          <h2 className="label" id="open-invitations">
            {t("invitations.title")}
          </h2>
          <Invitations invitations={members.invitations} />
        </section>
      )}
    </>
  );
}
