import { useTranslation } from "react-i18next";
import { Avatar, Button, showToast } from "../../../design/index.ts";
import type { Outcome, SealedMember } from "../../../sealing/contract.ts";
import { may, SENDING } from "../../../sealing/permissions.ts";
import { isProven } from "../model/proof.ts";
import { useSealed, useSealedMeeting } from "./context.tsx";
import { HandMark } from "./HandControl.tsx";

/** Who wants to speak, in their order, and who has been given the floor. For who leads. */
export function HandQueue() {
  const { t } = useTranslation("sealed");
  const { actions } = useSealedMeeting();
  const members = useSealed((sealed) => sealed.members);
  const { attendees } = useSealed((sealed) => sealed.policy);
  const hands = members
    .filter(({ handPlace, isSelf }) => handPlace !== null && !isSelf)
    .sort((a, b) => Number(a.handPlace) - Number(b.handPlace));
  const speakers = members.filter((member) => hasFloor(member, attendees));
  if (hands.length === 0 && speakers.length === 0) return null;
  const tell = (outcome: Outcome) => {
    if (outcome !== "done") showToast(t("person.failed"));
  };
  const give = async ({ identity, may: bits }: SealedMember) => {
    const outcome = may(bits, "microphone")
      ? await actions.order("ask-unmute", identity)
      : await actions.allow(identity, SENDING, true);
    if (outcome === "done") await actions.order("lower-hand", identity);
    tell(outcome);
  };
  return (
    <section className="sec" aria-label={t("floor.region")}>
      <h3>{t("floor.region")}</h3>
      <ul className="persons">
        {speakers.map((member) => (
          <Line key={`speaks ${member.identity}`} member={member} how={t("floor.has")}>
            <Button
              size="dense"
              aria-label={t("floor.takeFrom", { name: member.name ?? "…" })}
              onPress={() => void actions.allow(member.identity, SENDING, null).then(tell)}
            >
              {t("floor.take")}
            </Button>
          </Line>
        ))}
        {hands.map((member) => (
          <Line key={member.identity} member={member}>
            <HandMark place={Number(member.handPlace)} className="tag tag--plain" />
            <Button
              size="dense"
              variant="primary"
              aria-label={t("floor.giveTo", { name: member.name ?? "…" })}
              onPress={() => void give(member)}
            >
              {t("floor.give")}
            </Button>
          </Line>
        ))}
      </ul>
    </section>
  );
}

/** May speak where an attendee may not, without being here to present. */
function hasFloor({ role, part, may: bits }: SealedMember, attendees: number): boolean {
  if (role !== "member" || part === "presenter") return false;
  const isOrdinary = part === "attendee" && may(attendees, "microphone");
  return may(bits, "microphone") && !isOrdinary;
}

function Line({
  member,
  how,
  children,
}: {
  member: SealedMember;
  how?: string;
  children: React.ReactNode;
}) {
  const name = member.name ?? "…";
  return (
    <li className="person">
      <Avatar name={name} isGuest={!isProven(member)} />
      <div className="who">
        <div>
          <span className="trunc">{name}</span>
        </div>
        {how !== undefined && <div className="how">{how}</div>}
      </div>
      {children}
    </li>
  );
}
