/** The design system: everything that pages are made of. Must never import from a feature or the API. */
export {
  Button,
  IconButton,
  Tip,
} from "./components/Button.tsx";
export { CalmPage } from "./components/CalmPage.tsx";
export { Choices } from "./components/Choices.tsx";
export { ControlBox } from "./components/ControlBox.tsx";
export { DevicePicker } from "./components/DevicePicker.tsx";
export { Dialog } from "./components/Dialog.tsx";
export { Menu, type MenuEntry, type MenuGroup } from "./components/Menu.tsx";
export {
  Avatar,
  Kbd,
  LevelBars,
  Meter,
  monogramOf,
  SEAL_ICON,
  SealBadge,
  type SealLook,
  Tag,
} from "./components/marks.tsx";
export { PageTitle } from "./components/PageTitle.tsx";
export { QrCode } from "./components/QrCode.tsx";
export { SkipLink } from "./components/SkipLink.tsx";
export { Switch } from "./components/Switch.tsx";
export { TextField } from "./components/TextField.tsx";
export { showToast, ToastRegion } from "./components/Toasts.tsx";
export { Vow } from "./components/Vow.tsx";
export { Icon, type IconName } from "./icons.tsx";
export { announce, announceNow } from "./live.ts";
export { THEMES, type Theme, useTheme } from "./theme.ts";
export { useSlowly } from "./useSlowly.ts";
