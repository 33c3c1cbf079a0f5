import {
  UNSTABLE_Toast as AriaToast,
  UNSTABLE_ToastRegion as AriaToastRegion,
  Text,
  UNSTABLE_ToastContent as ToastContent,
  UNSTABLE_ToastQueue as ToastQueue,
} from "react-aria-components";
import { IconButton } from "./Button.tsx";

/** Long enough to be read; the timer stands still while a toast has focus or the pointer. */
const SHOWN_FOR_MS = 6000;

const queue = new ToastQueue<string>({ maxVisibleToasts: 3 });

/** A short message that needs no answer. Whatever needs one is a dialog or stands in the page. */
export function showToast(text: string): void {
  queue.add(text, { timeout: SHOWN_FOR_MS });
}

export interface ToastRegionProps {
  label: string;
  closeLabel: string;
}

export function ToastRegion({ label, closeLabel }: ToastRegionProps) {
  return (
    <AriaToastRegion queue={queue} className="toasts" aria-label={label}>
      {({ toast }) => (
        <AriaToast toast={toast} className="toast">
          <ToastContent className="toast__text">
            <Text slot="title">{toast.content}</Text>
          </ToastContent>
          <IconButton slot="close" icon="x" label={closeLabel} size="dense" />
        </AriaToast>
      )}
    </AriaToastRegion>
  );
}
