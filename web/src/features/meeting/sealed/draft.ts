import type { ChatMessage } from "../../../sealing/contract.ts";

/** What is being written, beside the words themselves. */
export interface Draft {
  readonly replyTo: ChatMessage | null;
  readonly editing: ChatMessage | null;
  /** The one person it goes to; null: everyone. */
  readonly privateTo: string | null;
}

export const PLAIN_DRAFT: Draft = { replyTo: null, editing: null, privateTo: null };
