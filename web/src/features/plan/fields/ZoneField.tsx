import { useState } from "react";
import {
  Button,
  ComboBox,
  Input,
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Text,
} from "react-aria-components";
import { Icon } from "../../../design/index.ts";
import { isZone, ownZone } from "../model/zones.ts";
import { zoneName } from "../usePlanWords.ts";

export interface ZoneFieldProps {
  label: string;
  value: string;
  onChange(zone: string): void;
  hint: string;
}

/** On whose clock: all zones that the browser knows, found by typing. */
export function ZoneField({ label, value, onChange, hint }: ZoneFieldProps) {
  const [zones] = useState(() =>
    [...new Set([value, ownZone(), "UTC", ...Intl.supportedValuesOf("timeZone")])]
      .filter(isZone)
      .sort()
      .map((id) => ({ id, name: zoneName(id) })),
  );
  return (
    <ComboBox
      className="field"
      defaultItems={zones}
      value={value}
      onChange={(key) => {
        if (typeof key === "string") onChange(key);
      }}
      menuTrigger="focus"
    >
      <Label className="label">{label}</Label>
      <div className="input">
        <Input />
        <Button className="parts__open">
          <Icon name="chev-down" size={18} />
        </Button>
      </div>
      <Text slot="description" className="hint">
        {hint}
      </Text>
      <Popover className="popover zones" offset={4}>
        <ListBox<{ id: string; name: string }> className="menu">
          {({ id, name }) => (
            <ListBoxItem id={id} textValue={name} className="menu__item">
              {name}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
