/** What a member may say, and to whom: asked of oneself before, of the others when it arrives. Pure. */

import { may } from "../permissions.ts";
import type { Message } from "./messages.ts";
import { isModerator } from "./people.ts";
import type { Person } from "./state.ts";

export type Saying = "chat" | "chat-edit" | "chat-delete" | "chat-react" | "react" | "hand";

/** Something that the others would see of a person, beyond that they are here. */
export function isSaying(message: Pick<Message, "k">): message is { readonly k: Saying } {
  return message.k.startsWith("chat") || message.k === "react" || message.k === "hand";
}

/** `to`: the one person for whom it is; null: everybody. */
export function maySay(person: Person, what: Saying, to: Person | null): boolean {
  if (what === "chat-delete") return true;
  if (what === "hand") return may(person.may, "hand");
  if (what === "react") return may(person.may, "reactions");
  if (to !== null) return mayWriteTo(person, to);
  return may(person.may, what === "chat-react" ? "reactions" : "chat");
}

function mayWriteTo(person: Person, to: Person): boolean {
  return may(person.may, "private") || (isModerator(to) && may(person.may, "leaders"));
}
