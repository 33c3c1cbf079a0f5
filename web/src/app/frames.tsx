import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "wouter";
import { Button, Icon, SkipLink } from "../design/index.ts";
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
  name: string;
  signOutLabel: string;
  onSignOut(): void;
}

/** For signed-in people. The navigation holds what exists, and nothing else. */
export function MemberFrame({ children, name, signOutLabel, onSignOut }: MemberFrameProps) {
  const { t } = useTranslation("common");
  return (
    <div className="shell">
      <SkipLink>{t("skip")}</SkipLink>
      <header className="nav">
        <Brand />
        <nav aria-label={t("nav.label")}>
          <Link className="nav__item" href="/" aria-current="page">
            <Icon name="cam" />
            {t("nav.meetings")}
          </Link>
        </nav>
        <div className="nav__me">
          <Preferences />
          <div className="nav__who">
            <span className="nav__me-text sm mut">{name}</span>
            <Button
              variant="quiet"
              size="dense"
              icon="leave"
              aria-label={signOutLabel}
              onPress={onSignOut}
            >
              <span className="not-m">{signOutLabel}</span>
            </Button>
          </div>
        </div>
      </header>
      {children}
    </div>
  );
}
