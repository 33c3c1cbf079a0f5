import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link, useLocation } from "wouter";
import { useSignOut } from "../api/queries.ts";
import type { User } from "../api/types.ts";
import { useErrorText } from "../api/useErrorText.ts";
import { Button, Icon, Menu, type MenuEntry, SkipLink, showToast } from "../design/index.ts";
import { Preferences } from "./Preferences.tsx";

function Brand() {
  return (
    <Link className="brand" href="/">
      <Icon name="seal" size={26} />
      conclave
    </Link>
  );
}

/** For people without an account, and for pages with one thing on them. */
export function GuestFrame({ children }: { children: ReactNode }) {
  const { t } = useTranslation("common");
  return (
    <div className="frame">
      <SkipLink>{t("skip")}</SkipLink>
      <header className="topbar">
        <Brand />
        <Preferences />
      </header>
      {children}
    </div>
  );
}

export interface MemberFrameProps {
  children: ReactNode;
  /** Who is signed in. */
  user: User;
}

/** For signed-in people. The navigation holds what exists, and nothing else. */
export function MemberFrame({ children, user }: MemberFrameProps) {
  const { t } = useTranslation("common");
  return (
    <div className="shell">
      <SkipLink>{t("skip")}</SkipLink>
      <header className="nav">
        <Brand />
        <nav aria-label={t("nav.label")}>
          <Place href="/" icon="cam" label={t("nav.meetings")} />
          {user.role === "operator" && (
            <>
              <Place href="/members" icon="people" label={t("nav.members")} />
              <Place href="/log" icon="pen" label={t("nav.log")} />
            </>
          )}
        </nav>
        <div className="nav__me">
          <Preferences />
          <AccountMenu user={user} />
        </div>
      </header>
      {children}
    </div>
  );
}

function Place({
  href,
  icon,
  label,
}: {
  href: string;
  icon: "cam" | "people" | "pen";
  label: string;
}) {
  const [path] = useLocation();
  return (
    <Link className="nav__item" href={href} {...(path === href ? { "aria-current": "page" } : {})}>
      <Icon name={icon} />
      {label}
    </Link>
  );
}

/** On phones the navigation is in here as well. */
function AccountMenu({ user }: { user: User }) {
  const { t } = useTranslation("common");
  const [, navigate] = useLocation();
  const signOut = useSignOut();
  const errorText = useErrorText();
  const name = user.login ?? t(`role.${user.role}`);
  const places: MenuEntry[] = [
    { id: "/", label: t("nav.meetings"), icon: "cam" },
    { id: "/account", label: t("nav.account"), icon: "user" },
    ...(user.role === "operator"
      ? [
          { id: "/members", label: t("nav.members"), icon: "people" } as const,
          { id: "/log", label: t("nav.log"), icon: "pen" } as const,
        ]
      : []),
  ];

  function choose(id: string): void {
    if (id !== "sign-out") {
      navigate(id);
      return;
    }
    signOut.mutate(undefined, {
      onSuccess: () => {
        navigate("/");
        showToast(t("signedOut"));
      },
      onError: (error) => showToast(errorText(error)),
    });
  }

  return (
    <Menu
      label={t("nav.you", { name })}
      placement="top start"
      trigger={
        <Button variant="quiet" className="nav__who" aria-label={t("nav.you", { name })}>
          <Icon name="user" />
          <span className="nav__me-text trunc">{name}</span>
          <Icon name="chev-down" size={18} className="not-m mut3" />
        </Button>
      }
      groups={[
        { id: "places", label: t("nav.label"), entries: places },
        {
          id: "session",
          label: t("signOut"),
          entries: [{ id: "sign-out", label: t("signOut"), icon: "leave" }],
        },
      ]}
      onAction={choose}
    />
  );
}
