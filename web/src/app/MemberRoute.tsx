import { type ReactNode, useEffect } from "react";
import { useTranslation } from "react-i18next";
import { useLocation } from "wouter";
import { useSession } from "../api/queries.ts";
import type { User } from "../api/types.ts";
import { useErrorText } from "../api/useErrorText.ts";
import { Button, CalmPage } from "../design/index.ts";
import { rememberPage } from "../identity/afterSignIn.ts";
import { GuestFrame, MemberFrame } from "./frames.tsx";

export interface MemberRouteProps {
  title: string;
  children(user: User): ReactNode;
  /** What is shown to who is not signed in. */
  stranger: ReactNode;
}

/** A page for who is signed in. */
export function MemberRoute({ title, children, stranger }: MemberRouteProps) {
  const { t } = useTranslation("common");
  const session = useSession();
  const errorText = useErrorText();
  if (session.isPending) return <GuestFrame>{null}</GuestFrame>;
  if (session.isError && session.data === undefined) {
    return (
      <GuestFrame>
        <CalmPage
          title={title}
          icon="alert"
          heading={errorText(session.error)}
          actions={
            <Button variant="primary" onPress={() => void session.refetch()}>
              {t("retry")}
            </Button>
          }
        />
      </GuestFrame>
    );
  }
  if (!session.data) return stranger;
  return <MemberFrame user={session.data}>{children(session.data)}</MemberFrame>;
}

/** Signing in first, then back to this page and to what stood behind its `#`. */
export function ToSignIn({ page }: { page: string }) {
  const [, navigate] = useLocation();
  useEffect(() => {
    rememberPage(page, location.hash);
    navigate("/sign-in", { replace: true });
  }, [page, navigate]);
  return <GuestFrame>{null}</GuestFrame>;
}
