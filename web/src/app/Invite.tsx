import { type ComponentType, useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { showToast } from "../design/index.ts";
import type { InviteRequest, RenderInvite } from "../features/invite/contract.ts";
import type { InviteDialogProps } from "../features/invite/InviteDialog.tsx";

/** The dialog of personal links for who is signed in, wherever a page asks for it. */
export function renderInviteFor(userId: string): RenderInvite {
  return (request) => <Invite userId={userId} {...request} />;
}

/** Its code is loaded when it is first asked for; a call in progress goes on if that fails. */
function Invite(props: InviteRequest & { userId: string }) {
  const { t } = useTranslation("invite");
  const [Dialog, setDialog] = useState<ComponentType<InviteDialogProps> | null>(null);
  const failed = useRef(() => {});
  failed.current = () => {
    props.onClose();
    showToast(t("fault.code"));
  };
  useEffect(() => {
    let isHere = true;
    import("../features/invite/InviteDialog.tsx").then(
      (loaded) => isHere && setDialog(() => loaded.default),
      () => isHere && failed.current(),
    );
    return () => {
      isHere = false;
    };
  }, []);
  return Dialog && <Dialog {...props} />;
}
