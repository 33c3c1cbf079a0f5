import { useState } from "react";
import { useTranslation } from "react-i18next";
import {
  type Member,
  removeMember,
  resetMember,
  restoreMember,
  setRole,
  suspendMember,
} from "../../api/members.ts";
import {
  Button,
  Dialog,
  IconButton,
  Menu,
  type MenuEntry,
  showToast,
  Tag,
} from "../../design/index.ts";
import { useLocale } from "../../i18n/index.ts";
import { Fault } from "../../identity/Fault.tsx";
import type { MadeLink } from "./MembersPage.tsx";
import { useMembersAct } from "./useMembersAct.ts";

type Doing = "role" | "suspend" | "restore" | "reset" | "remove";

export interface MemberListProps {
  members: readonly Member[];
  ownId: string;
  onMade(link: MadeLink): void;
}

export function MemberList({ members, ownId, onMade }: MemberListProps) {
  const [doing, setDoing] = useState<{ what: Doing; member: Member } | null>(null);
  return (
    <>
      <ul className="mem__list">
        {members.map((member) => (
          <MemberRow
            key={member.id}
            member={member}
            isSelf={member.id === ownId}
            onDo={(what) => setDoing({ what, member })}
          />
        ))}
      </ul>
      {doing && (
        <DoDialog
          {...doing}
          onMade={(link) => {
            setDoing(null);
            onMade(link);
          }}
          onClose={() => setDoing(null)}
        />
      )}
    </>
  );
}

interface MemberRowProps {
  member: Member;
  isSelf: boolean;
  onDo(what: Doing): void;
}

function MemberRow({ member, isSelf, onDo }: MemberRowProps) {
  const { t } = useTranslation("members");
  const name = useNameOf()(member);
  const day = useDay();
  const ways = [
    ...(member.passkeys > 0 ? [t("ways.passkeys", { count: member.passkeys })] : []),
    ...(member.has_password ? [t("ways.password")] : []),
  ];
  const entries: MenuEntry[] = [
    { id: "role", label: t(member.role === "operator" ? "act.toMember" : "act.toOperator") },
    member.is_suspended
      ? { id: "restore", label: t("act.restore") }
      : { id: "suspend", label: t("act.suspend") },
    { id: "reset", label: t("act.reset") },
    { id: "remove", label: t("act.remove"), isDanger: true },
  ];
  return (
    <li>
      <div className="grow">
        <p className="b mem__name">
          {name}
          {isSelf && <Tag>{t("you")}</Tag>}
          {member.role === "operator" && <Tag>{t("role.operator")}</Tag>}
          {member.is_suspended && <Tag tone="caution">{t("suspended")}</Tag>}
        </p>
        <p className="sm mut">{ways.length > 0 ? ways.join(" · ") : t("ways.none")}</p>
        <p className="sm mut">
          {member.last_seen_at === null
            ? t("neverSeen", { since: day(member.created_at) })
            : t("seen", { since: day(member.created_at), seen: day(member.last_seen_at) })}
        </p>
      </div>
      {!isSelf && (
        <Menu
          label={t("act.menu", { name })}
          trigger={<IconButton icon="more" label={t("act.menu", { name })} />}
          groups={[{ id: "acts", label: t("act.menu", { name }), entries }]}
          onAction={(id) => onDo(id as Doing)}
        />
      )}
    </li>
  );
}

interface DoDialogProps {
  what: Doing;
  member: Member;
  onMade(link: MadeLink): void;
  onClose(): void;
}

/** Every act asks once, and says what goes and what stays. */
function DoDialog({ what, member, onMade, onClose }: DoDialogProps) {
  const { t } = useTranslation(["members", "common"]);
  const act = useMembersAct();
  const name = useNameOf()(member);
  const other = member.role === "operator" ? "member" : "operator";
  const key = what === "role" ? (other === "operator" ? "toOperator" : "toMember") : what;

  function run(): void {
    const done = () => {
      onClose();
      showToast(t(`done.${key as Exclude<typeof key, "reset">}`, { name }));
    };
    switch (what) {
      case "role":
        act.run(() => setRole(member.id, other), done);
        break;
      case "suspend":
        act.run(() => suspendMember(member.id), done);
        break;
      case "restore":
        act.run(() => restoreMember(member.id), done);
        break;
      case "remove":
        act.run(() => removeMember(member.id), done);
        break;
      case "reset":
        act.run(
          () => resetMember(member.id),
          (link) => onMade({ ...link, why: "reset", isMailed: false, mailError: null }),
        );
        break;
    }
  }

  return (
    <Dialog
      isOpen
      isAlert
      title={t(`ask.${key}.title`, { name })}
      onClose={onClose}
      actions={
        <>
          <Button variant="line" onPress={onClose}>
            {t("common:cancel")}
          </Button>
          <Button
            variant={what === "remove" ? "danger" : "primary"}
            isBusy={act.isBusy}
            onPress={run}
          >
            {t(`ask.${key}.go`)}
          </Button>
        </>
      }
    >
      <p className="dialog__text">{t(`ask.${key}.text`)}</p>
      <Fault fault={act.fault} where="act" />
    </Dialog>
  );
}

/** The name they have chosen, else what is known of them. */
function useNameOf(): (member: Pick<Member, "login" | "role">) => string {
  const { t } = useTranslation("members");
  return ({ login, role }) => login ?? t(`unnamed.${role}`);
}

export function useDay(): (date: string) => string {
  const locale = useLocale();
  const format = new Intl.DateTimeFormat(locale, { dateStyle: "medium" });
  return (date) => format.format(new Date(date));
}
