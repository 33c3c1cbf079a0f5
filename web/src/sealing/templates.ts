/** How rooms begin: what everybody may do, and who comes in by themselves. Pure. */

import type { RoomPolicy } from "./contract.ts";
import { bitsOf } from "./permissions.ts";

/** In the order of their numbers in the protocol (3). */
export const TEMPLATES = ["none", "family", "class", "clinic", "club", "board"] as const;

export type Template = (typeof TEMPLATES)[number];

export interface Rules {
  readonly entry: "open" | "lobby";
  /** What an attendee may do, in bits. */
  readonly attendees: number;
}

const TALKING = bitsOf("microphone", "camera", "chat", "leaders", "reactions", "hand");

export const RULES: Readonly<Record<Template, Rules>> = {
  none: { entry: "open", attendees: TALKING | bitsOf("screen", "private") },
  family: { entry: "open", attendees: TALKING | bitsOf("screen", "screenAmongMany", "private") },
  // Who teaches gives the floor; pupils write to who teaches and not behind their back.
  class: { entry: "lobby", attendees: bitsOf("camera", "leaders", "reactions", "hand") },
  clinic: { entry: "lobby", attendees: TALKING | bitsOf("screen") },
  club: { entry: "open", attendees: TALKING | bitsOf("screen", "private") },
  board: { entry: "lobby", attendees: TALKING | bitsOf("private") },
};

/** How a room begins that follows a template. */
export function beginning(template: Template): RoomPolicy {
  return { ...RULES[template], isLocked: false, history: 0, template };
}
