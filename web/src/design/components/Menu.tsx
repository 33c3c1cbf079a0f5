import type { ReactElement } from "react";
import {
  Menu as AriaMenu,
  Header,
  MenuItem,
  MenuSection,
  MenuTrigger,
  Popover,
  type PopoverProps,
} from "react-aria-components";
import { Icon, type IconName } from "../icons.tsx";

export interface MenuEntry {
  id: string;
  label: string;
  icon?: IconName;
  isDanger?: boolean;
}

export interface MenuGroup {
  id: string;
  /** Shown above the group. */
  title?: string;
  /** The spoken name, where there is no visible title. */
  label?: string;
  entries: readonly MenuEntry[];
  /** Given: the group is a choice of one. */
  selectedId?: string | null;
}

export interface MenuProps {
  /** The button that opens the menu; a React Aria button (our Button, IconButton). */
  trigger: ReactElement;
  label: string;
  groups: readonly MenuGroup[];
  onAction(entryId: string, groupId: string): void;
  placement?: NonNullable<PopoverProps["placement"]>;
}

/** Actions and choices behind one button. */
export function Menu({ trigger, label, groups, onAction, placement = "bottom end" }: MenuProps) {
  return (
    <MenuTrigger>
      {trigger}
      <Popover className="popover" placement={placement} offset={6}>
        <AriaMenu className="menu" aria-label={label}>
          {groups.map((group) => (
            <MenuSection
              key={group.id}
              id={group.id}
              {...(group.title === undefined ? { "aria-label": group.label ?? label } : {})}
              {...(group.selectedId === undefined
                ? {}
                : {
                    selectionMode: "single" as const,
                    disallowEmptySelection: true,
                    selectedKeys: group.selectedId === null ? [] : [group.selectedId],
                  })}
            >
              {group.title !== undefined && <Header className="menu__head">{group.title}</Header>}
              {group.entries.map((entry) => (
                <MenuItem
                  key={entry.id}
                  id={entry.id}
                  textValue={entry.label}
                  className={entry.isDanger ? "menu__item menu__item--danger" : "menu__item"}
                  onAction={() => onAction(entry.id, group.id)}
                >
                  {({ isSelected }) => (
                    <>
                      {group.selectedId !== undefined && (
                        <span className="menu__check">
                          {isSelected && <Icon name="check" size={18} />}
                        </span>
                      )}
                      {entry.icon && <Icon name={entry.icon} />}
                      <span className="grow">{entry.label}</span>
                    </>
                  )}
                </MenuItem>
              ))}
            </MenuSection>
          ))}
        </AriaMenu>
      </Popover>
    </MenuTrigger>
  );
}
