import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { follows, given, hex, MEETING, vectors } from "../../../test/protocolVectors.ts";
import type { DeviceKey } from "../engine/contract.ts";
import { certify, checkCredential, encodeCredential } from "./credential.ts";
import { fromPkcs8, generateKey, toPkcs8 } from "./ed25519.ts";
import {
  bind,
  checkBound,
  decodeBound,
  decodeInvitation,
  encodeBound,
  encodeInvitation,
  type Invitation,
  invitationId,
  invitationKey,
  invitedName,
  isSignedByAccount,
  makeInvitation,
} from "./invitation.ts";
import { deriveLinkKeys, formatLink, type LinkKeys } from "./link.ts";

let account: DeviceKey;
let device: DeviceKey;
let keys: LinkKeys;
let made: { seed: Uint8Array; id: string; bytes: Uint8Array };
let facts: Invitation;
beforeAll(async () => {
  account = (await fromPkcs8(toPkcs8(given("account_seed")))) as DeviceKey;
  device = (await fromPkcs8(toPkcs8(given("device_seed")))) as DeviceKey;
  keys = await deriveLinkKeys(given("link_secret"), MEETING);
  made = await makeInvitation(account, keys, { name: "Zoë", role: "cohost", expiresAt: 1_800_000 });
  facts = decodeInvitation(made.bytes) as Invitation;
});

const boundTo = async (key: DeviceKey, invitation = made.bytes, seed = made.seed) => {
  const binding = await bind(await invitationKey(seed, MEETING), MEETING, key.publicKey);
  return encodeBound({ invitation, binding });
};

describe("vectors", () => {
  it("gives the key, the id, the certificate, the binding and the credential", async () => {
    const seed = given("invitation_seed");
    const key = await invitationKey(seed, MEETING);
    expect(hex(key.publicKey)).toBe(vectors.follows["invitation_key"]);
    expect(await invitationId(key.publicKey)).toBe(vectors.follows["invitation_id"]);
    const about = {
      name: vectors.given["invited_name"] ?? "",
      role: "cohost",
      expiresAt: Number(vectors.given["expires_at"]),
    } as const;
    const one = await makeInvitation(account, keys, about, seed, given("invited_nonce"));
    expect(hex(one.bytes)).toBe(vectors.follows["invitation"]);
    const binding = await bind(key, MEETING, device.publicKey);
    expect(hex(binding)).toBe(vectors.follows["binding"]);
    const bound = encodeBound({ invitation: one.bytes, binding });
    const credential = encodeCredential({ account: null, bound });
    expect(hex(credential)).toBe(vectors.follows["invited_credential"]);
    const link = { secret: given("link_secret"), fingerprint: follows("host_fingerprint") };
    const written = formatLink("https://meet.example", MEETING, link, seed);
    expect(written).toBe(vectors.follows["personal_link"]);
  });
});

describe("an invitation", () => {
  it("says whom, as what, until when, and by whom", async () => {
    expect(facts).toMatchObject({ meetingId: MEETING, role: "cohost", expiresAt: 1_800_000 });
    expect(facts.accountKey).toEqual(account.publicKey);
    expect(await isSignedByAccount(facts)).toBe(true);
    expect(await invitedName(keys, facts)).toBe("Zoë");
    expect(await invitationId(facts.key)).toBe(made.id);
    expect(made.id).toMatch(/^[\w-]{22}$/);
  });

  it("is of one person: another seed, another key", async () => {
    const other = await makeInvitation(account, keys, {
      name: null,
      role: "attendee",
      expiresAt: 0,
    });
    expect(other.id).not.toBe(made.id);
    const nameless = decodeInvitation(other.bytes) as Invitation;
    expect(nameless.name).toHaveLength(0);
    expect(await invitedName(keys, nameless)).toBeNull();
  });

  it("shows its name to holders of the link alone, and under its own key alone", async () => {
    const foreign = await deriveLinkKeys(new Uint8Array(16), MEETING);
    expect(await invitedName(foreign, facts)).toBeNull();
    expect(await invitedName(keys, { ...facts, key: device.publicKey })).toBeNull();
  });

  it.each<[string, (one: Invitation) => Partial<Invitation>]>([
    ["meeting", () => ({ meetingId: "mtg_other" })],
    ["key", () => ({ key: device.publicKey })],
    ["role", () => ({ role: "attendee" })],
    ["end", () => ({ expiresAt: 0 })],
    ["name", () => ({ name: new Uint8Array() })],
    ["host", () => ({ accountKey: device.publicKey })],
    ["signature", ({ signature }) => ({ signature: signature.map((byte) => byte ^ 1) })],
  ])("with another %s is nobody's", async (_what, change) => {
    expect(await isSignedByAccount({ ...facts, ...change(facts) })).toBe(false);
  });

  it("is read in one way only", () => {
    expect(encodeInvitation(facts)).toEqual(made.bytes);
    const at = fc.nat(made.bytes.length - 1);
    fc.assert(
      fc.property(at, fc.nat(255), (place, value) => {
        const bytes = made.bytes.slice();
        bytes[place] = value;
        const read = decodeInvitation(bytes);
        if (read !== null) expect(encodeInvitation(read)).toEqual(bytes);
      }),
    );
    fc.assert(
      fc.property(at, (length) => {
        expect(decodeInvitation(made.bytes.slice(0, length))).toBeNull();
      }),
    );
    expect(decodeInvitation(Uint8Array.from([...made.bytes, 0]))).toBeNull();
  });

  it("has a name of a bounded length, or none", () => {
    for (const length of [1, 28, 513]) {
      expect(decodeInvitation(encodeInvitation({ ...facts, name: new Uint8Array(length) }))).toBe(
        null,
      );
    }
  });
});

describe("a binding", () => {
  it("is to one device", async () => {
    const bound = await boundTo(device);
    expect(await checkBound(bound, device.publicKey)).toEqual(facts);
    expect(await checkBound(bound, (await generateKey()).publicKey)).toBeNull();
  });

  it("is made with this invitation's seed", async () => {
    expect(
      await checkBound(await boundTo(device, made.bytes, new Uint8Array(16)), device.publicKey),
    ).toBeNull();
  });

  it("is to an invitation that its account has signed", async () => {
    const forged = encodeInvitation({ ...facts, role: "attendee" });
    expect(await checkBound(await boundTo(device, forged), device.publicKey)).toBeNull();
  });

  it("is read in one way only", async () => {
    const bound = await boundTo(device);
    fc.assert(
      fc.property(fc.nat(bound.length - 1), (length) => {
        expect(decodeBound(bound.slice(0, length))).toBeNull();
      }),
    );
    expect(decodeBound(Uint8Array.from([...bound, 0]))).toBeNull();
  });
});

describe("a credential with an invitation", () => {
  it("says both whose device it is and how its owner came", async () => {
    const bound = await boundTo(device);
    const guest = encodeCredential({ account: null, bound });
    expect(await checkCredential(guest, device.publicKey)).toEqual({
      ok: true,
      accountKey: null,
      invitation: facts,
    });
    const known = await certify(account, device.publicKey);
    const both = encodeCredential({ account: known, bound });
    expect(await checkCredential(both, device.publicKey)).toMatchObject({
      accountKey: account.publicKey,
      invitation: facts,
    });
  });

  it("is nobody's on another device", async () => {
    const other = await generateKey();
    const guest = encodeCredential({ account: null, bound: await boundTo(device) });
    expect(await checkCredential(guest, other.publicKey)).toEqual({ ok: false });
  });
});
