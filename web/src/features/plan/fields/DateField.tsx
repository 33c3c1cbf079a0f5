import { parseDate } from "@internationalized/date";
import {
  Button,
  Calendar,
  CalendarCell,
  CalendarGrid,
  CalendarGridBody,
  CalendarGridHeader,
  CalendarHeaderCell,
  DateInput,
  DatePicker,
  DateSegment,
  Dialog,
  FieldError,
  Group,
  Heading,
  Label,
  Popover,
} from "react-aria-components";
import { Icon } from "../../../design/index.ts";

export interface DateFieldProps {
  label: string;
  /** `YYYY-MM-DD`; null: none. */
  value: string | null;
  onChange(value: string | null): void;
  error?: string | undefined;
}

/** A day, typed in parts or picked from a month. Weeks begin on Monday, as series do. */
export function DateField({ label, value, onChange, error }: DateFieldProps) {
  return (
    <DatePicker
      className="field"
      value={value === null ? null : parseDate(value)}
      onChange={(date) => onChange(date?.toString() ?? null)}
      firstDayOfWeek="mon"
      isInvalid={error !== undefined}
    >
      <Label className="label">{label}</Label>
      <Group className="input parts">
        <DateInput className="parts__all">
          {(segment) => <DateSegment segment={segment} className="part" />}
        </DateInput>
        <Button className="parts__open">
          <Icon name="calendar" />
        </Button>
      </Group>
      <FieldError className="hint hint--error">{error}</FieldError>
      <Popover className="popover month" offset={4}>
        <Dialog className="month__in">
          <Calendar>
            <header className="month__head">
              <Button slot="previous" className="icb icb--dense">
                <Icon name="chev-left" />
              </Button>
              <Heading className="month__name" />
              <Button slot="next" className="icb icb--dense">
                <Icon name="chev-right" />
              </Button>
            </header>
            <CalendarGrid className="month__days">
              <CalendarGridHeader>
                {(day) => <CalendarHeaderCell className="month__weekday">{day}</CalendarHeaderCell>}
              </CalendarGridHeader>
              <CalendarGridBody>
                {(date) => <CalendarCell date={date} className="month__day num" />}
              </CalendarGridBody>
            </CalendarGrid>
          </Calendar>
        </Dialog>
      </Popover>
    </DatePicker>
  );
}
