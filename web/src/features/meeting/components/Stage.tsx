import { type KeyboardEvent, type MouseEvent, useCallback, useEffect, useRef } from "react";
import { Button, GridList } from "react-aria-components";
import { useTranslation } from "react-i18next";
import { Icon, IconButton } from "../../../design/index.ts";
import { othersOf } from "../model/call.ts";
import { type StageView, stageView } from "../model/stage.ts";
import { Alone } from "./Alone.tsx";
import { useCall, useMeeting, useView } from "./context.tsx";
import { FLOW, PHONE, useMatch, useSize } from "./hooks.ts";
import { SharedScreen } from "./SharedScreen.tsx";
import { rectStyle, Tile } from "./Tile.tsx";
import { useStageOrder } from "./useStageOrder.ts";

const SWIPE_PX = 60;

/** What is on the stage now; the page's other parts ask it too (pages, who is person three). */
export function useStageView(size: { width: number; height: number }): StageView {
  const people = useCall((call) => call.people);
  const share = useCall((call) => call.share);
  const choices = useView((view) => view);
  const isPhone = useMatch(PHONE);
  const isFlow = useMatch(FLOW);
  const order = useStageOrder(size, isPhone);
  return stageView({ call: { people, share }, choices, order, stage: size, isPhone, isFlow });
}

/** The middle of the page: pictures, a shared screen, or the link to send when nobody is here. */
export function Stage() {
  const { t } = useTranslation("meeting");
  const { view, session } = useMeeting();
  const ref = useRef<HTMLDivElement>(null);
  const size = useSize(ref);
  const stage = useStageView(size);
  const pinned = useView((state) => state.pinned);
  const hasOthers = useCall((call) => othersOf(call).length > 0);
  const isIn = useCall((call) => call.connectedAt !== null);
  const onPin = useCallback((identity: string) => view.togglePin(identity), [view]);
  const swipe = useSwipe((by) => view.turnPage(by, stage.pages));
  const pages = stage.pages;

  useEffect(() => {
    // Somebody left or the window grew: a page that is no longer there is left too.
    if (view.getState().page >= pages) view.turnPage(0, pages);
  }, [pages, view]);

  const identityAt = (target: EventTarget) =>
    (target as Element).closest("[data-identity]")?.getAttribute("data-identity") ?? null;
  const onKeyDown = (event: KeyboardEvent) => {
    const target = event.target as Element;
    const identity = target.getAttribute("data-identity");
    if (event.key === "Enter" && identity !== null) {
      event.preventDefault();
      view.togglePin(identity);
    }
  };
  const onDoubleClick = (event: MouseEvent) => {
    const identity = identityAt(event.target);
    if (identity === null || session.store.getState().share !== null) return;
    view.enlarge(view.getState().enlarged === identity ? null : identity);
  };

  const { flowHeight } = stage;
  return (
    <div className="floor" ref={ref} style={flowHeight === null ? {} : { height: flowHeight }}>
      {stage.share && <SharedScreen share={stage.share.share} rect={stage.share.rect} />}
      {hasOthers && size.width > 0 && (
        // biome-ignore lint/a11y/noStaticElementInteractions: shortcuts for the pin button, the view switch and the pager
        <div className="tilesbox" onKeyDown={onKeyDown} onDoubleClick={onDoubleClick} {...swipe}>
          <GridList
            className={`tiles tiles--${stage.kind}`}
            aria-label={t("tile.list")}
            layout="grid"
            keyboardNavigationBehavior="tab"
          >
            {stage.tiles.map(({ person, rect, isLarge }) => (
              <Tile
                key={person.identity}
                person={person}
                rect={rect}
                isLarge={isLarge}
                isPinned={pinned.includes(person.identity)}
                onPin={onPin}
              />
            ))}
          </GridList>
        </div>
      )}
      {stage.more && (
        <Button
          className="more"
          style={rectStyle(stage.more.rect)}
          onPress={() => view.setState({ page: (stage.page + 1) % stage.pages })}
        >
          {t("tile.more", { count: stage.more.count })}
          <Icon name="chev-down" size={18} />
        </Button>
      )}
      {stage.kind === "grid" && stage.pages > 1 && <Pages stage={stage} />}
      {stage.kind === "alone" && isIn && <Alone />}
    </div>
  );
}

function Pages({ stage: { page, pages } }: { stage: StageView }) {
  const { t } = useTranslation("meeting");
  const { view } = useMeeting();
  return (
    <div className="pager">
      <IconButton
        icon="chev-left"
        label={t("tile.previous")}
        disabledReason={page === 0 ? t("tile.page", { page: 1, pages }) : undefined}
        onPress={() => view.turnPage(-1, pages)}
      />
      <span className="num sm" role="status">
        {t("tile.page", { page: page + 1, pages })}
      </span>
      <IconButton
        icon="chev-right"
        label={t("tile.next")}
        disabledReason={page === pages - 1 ? t("tile.page", { page: pages, pages }) : undefined}
        onPress={() => view.turnPage(1, pages)}
      />
    </div>
  );
}

function useSwipe(onTurn: (by: 1 | -1) => void) {
  const from = useRef<{ x: number; y: number } | null>(null);
  return {
    onTouchStart(event: React.TouchEvent) {
      const touch = event.touches[0];
      from.current =
        event.touches.length === 1 && touch ? { x: touch.clientX, y: touch.clientY } : null;
    },
    onTouchEnd(event: React.TouchEvent) {
      const touch = event.changedTouches[0];
      if (from.current === null || touch === undefined) return;
      const x = touch.clientX - from.current.x;
      const y = touch.clientY - from.current.y;
      from.current = null;
      if (Math.abs(x) > SWIPE_PX && Math.abs(x) > 2 * Math.abs(y)) onTurn(x < 0 ? 1 : -1);
    },
  };
}
