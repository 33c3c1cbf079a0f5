/**
 * The machine's questions that are not MLS, answered for one meeting with `sealing/keys/` and
 * `sealing/words/`. Holds the link's keys: none before there is a link, others when one is adopted.
 */

import type { Codes, CodeWords } from "../contract.ts";
import type { InvitationFacts, MlsEngine } from "../engine/contract.ts";
import { fromB64, isSame, randomBytes } from "../keys/bytes.ts";
import { openIntro, openNote, sealIntro, sealNote } from "../keys/intro.ts";
import { invitedName } from "../keys/invitation.ts";
import { deriveLinkKeys, type LinkKeys, type LinkSecret } from "../keys/link.ts";
import {
  knockContent,
  makeMeetingMac,
  makeProof,
  verifyMeetingMac,
  verifyProof,
} from "../keys/proof.ts";
import type { ExaminedKnock } from "../meeting/io.ts";
import { type MeetingContext, macInput } from "../meeting/meetingContext.ts";
import { doorWords, meetingCode, rosterCode } from "../words/codes.ts";
import type { WordLanguage, WordList } from "../words/wordList.ts";
import type { KeyCalls } from "./shell.ts";

export interface KeyCallsSetup {
  readonly engine: MlsEngine;
  readonly meetingId: string;
  readonly link: LinkSecret | null;
  /** Under which name we knock. */
  readonly name: () => string;
  readonly colour: number;
  /** Both lists, loaded when a code is first wanted. */
  readonly words: (language: WordLanguage) => Promise<WordList>;
  /** A link came with a message: kept for a reload of this page. */
  readonly onLink: (link: LinkSecret) => void;
}

const NOTHING = new Uint8Array();

export async function createKeyCalls(setup: KeyCallsSetup): Promise<KeyCalls> {
  const { engine, meetingId, colour } = setup;
  let link: LinkSecret | null = null;
  let keys: LinkKeys | null = null;
  if (setup.link !== null) await hold(setup.link);

  async function hold(next: LinkSecret): Promise<void> {
    keys = await deriveLinkKeys(next.secret, meetingId);
    link = next;
    await engine.setPsk(keys.psk);
  }

  async function proves(
    context: MeetingContext,
    held: LinkSecret,
    derived: LinkKeys,
  ): Promise<boolean> {
    return (
      isSame(context.hostFingerprint, held.fingerprint) &&
      (await verifyMeetingMac(derived, macInput(context), context.mac))
    );
  }

  async function inEach(code: (list: WordList) => Promise<readonly string[]>): Promise<CodeWords> {
    const [de, en] = await Promise.all([setup.words("de"), setup.words("en")]);
    return { de: await code(de), en: await code(en) };
  }

  return {
    async found({ meetingId: id, creatorKey }) {
      const instance = randomBytes(16);
      if (link === null || keys === null) {
        return { instance, hostFingerprint: new Uint8Array(16), mac: new Uint8Array(32) };
      }
      const hostFingerprint = link.fingerprint;
      const fields = macInput({ meetingId: id, instance, creatorKey, hostFingerprint });
      return { instance, hostFingerprint, mac: await makeMeetingMac(keys, fields) };
    },

    async verifyMeeting({ context }) {
      return link !== null && keys !== null && proves(context, link, keys);
    },

    async makeKnock({ ref, instance }) {
      const knock = { ref, instance };
      const intro =
        keys === null ? NOTHING : await sealIntro(keys, instance, { name: setup.name(), colour });
      const proof = keys === null ? NOTHING : await makeProof(keys, knock);
      const sign = await engine.sign(await knockContent(meetingId, knock, intro, proof));
      return { intro, proof, sign, words: await inEach((list) => doorWords(ref, list)) };
    },

    async sealNote({ ref, text }) {
      return keys === null ? null : sealNote(keys, ref, text);
    },

    async examineKnock({ facts, instance, intro, proof, sign, note }): Promise<ExaminedKnock> {
      const knock = { ref: facts.ref, instance };
      const content = await knockContent(meetingId, knock, intro, proof);
      return {
        isSigned: await engine.verify(facts.signatureKey, content, sign),
        proof: await judged(knock, proof),
        intro: keys === null || intro.length === 0 ? null : await openIntro(keys, instance, intro),
        words: await inEach((list) => doorWords(facts.ref, list)),
        invitedName: await nameIn(facts.invitation),
        note: keys === null || note === null ? null : await openNote(keys, facts.ref, note),
      };
    },

    invitedNames: ({ invitations }) => Promise.all(invitations.map(nameIn)),

    async adoptLink({ link: said, context }) {
      const secret = fromB64(said.secret);
      const fingerprint = fromB64(said.fingerprint);
      if (secret?.length !== 16 || fingerprint?.length !== 16) return false;
      const adopted = { secret, fingerprint };
      const derived = await deriveLinkKeys(secret, meetingId);
      if (!(await proves(context, adopted, derived))) return false;
      await hold(adopted);
      setup.onLink(adopted);
      return true;
    },

    async codes({ groupId, context, authenticator }): Promise<Pick<Codes, "words" | "roster">> {
      const { creatorKey, mac } = context;
      return {
        words: await inEach((list) => meetingCode({ groupId, creatorKey, mac }, list)),
        roster: await rosterCode(authenticator),
      };
    },
  };

  async function nameIn(invitation: InvitationFacts | null): Promise<string | null> {
    return keys === null || invitation === null ? null : invitedName(keys, invitation);
  }

  async function judged(
    knock: { ref: Uint8Array; instance: Uint8Array },
    proof: Uint8Array,
  ): Promise<ExaminedKnock["proof"]> {
    if (proof.length === 0) return "none";
    // Who has no link cannot tell a good proof from a bad one: the others at the door will.
    if (keys === null) return "none";
    return (await verifyProof(keys, knock, proof)) ? "good" : "bad";
  }
}
