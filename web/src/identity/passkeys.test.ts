import { describe, expect, it, vi } from "vitest";
import {
  answerWithPasskey,
  createPasskey,
  creationOptions,
  passkeyHindrance,
  requestOptions,
  toJson,
} from "./passkeys.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const ASKED: PublicKeyCredentialRequestOptionsJSON = {
  challenge: "AQID",
  rpId: "meet.example",
  userVerification: "required",
  allowCredentials: [{ type: "public-key", id: "BAU", transports: ["internal"] }],
  timeout: 300_000,
};
const MAKING: PublicKeyCredentialCreationOptionsJSON = {
  challenge: "AQID",
  rp: { id: "meet.example", name: "conclave" },
  user: { id: "Bwg", name: "hanna", displayName: "hanna" },
  pubKeyCredParams: [{ type: "public-key", alg: -7 }],
  excludeCredentials: [{ type: "public-key", id: "BAU" }],
};

/** A browser with passkeys; `answer` is what its authenticator does. */
function browser(answer: () => Promise<unknown>, more: object = {}) {
  vi.stubGlobal("isSecureContext", true);
  vi.stubGlobal("PublicKeyCredential", Object.assign(class {}, more));
  const credentials = { get: vi.fn(answer), create: vi.fn(answer) };
  vi.stubGlobal("navigator", { credentials });
  return credentials;
}

describe("a browser from before Level 3", () => {
  it("is given bytes for text", async () => {
    const credentials = browser(async () => null);
    expect(requestOptions(ASKED)).toEqual({
      challenge: bytes(1, 2, 3),
      rpId: "meet.example",
      userVerification: "required",
      timeout: 300_000,
      allowCredentials: [{ type: "public-key", id: bytes(4, 5), transports: ["internal"] }],
    });
    expect(creationOptions(MAKING)).toEqual({
      challenge: bytes(1, 2, 3),
      rp: MAKING.rp,
      user: { id: bytes(7, 8), name: "hanna", displayName: "hanna" },
      pubKeyCredParams: MAKING.pubKeyCredParams,
      excludeCredentials: [{ type: "public-key", id: bytes(4, 5) }],
    });
    await expect(answerWithPasskey(ASKED)).rejects.toMatchObject({ fault: "cancelled" });
    expect(credentials.get).toHaveBeenCalledOnce();
  });

  it("answers in the server's words", () => {
    const common = {
      id: "BAU",
      rawId: bytes(4, 5).buffer,
      type: "public-key",
      authenticatorAttachment: "platform",
    };
    const clientDataJSON = bytes(1).buffer;
    const used = {
      clientDataJSON,
      authenticatorData: bytes(2).buffer,
      signature: bytes(3).buffer,
      userHandle: null,
    };
    const shown = { ...common, rawId: "BAU", clientExtensionResults: {} };
    expect(toJson({ ...common, response: used } as unknown as PublicKeyCredential)).toEqual({
      ...shown,
      response: {
        clientDataJSON: "AQ",
        authenticatorData: "Ag",
        signature: "Aw",
        userHandle: null,
      },
    });
    const made = {
      clientDataJSON,
      attestationObject: bytes(9).buffer,
      getTransports: () => ["internal"],
    };
    expect(toJson({ ...common, response: made } as unknown as PublicKeyCredential)).toEqual({
      ...shown,
      response: { clientDataJSON: "AQ", attestationObject: "CQ", transports: ["internal"] },
    });
  });

  it("is not asked with options that are no base64url", async () => {
    browser(async () => null);
    await expect(answerWithPasskey({ challenge: "a b" })).rejects.toMatchObject({
      fault: "failed",
    });
  });
});

describe("a browser of today", () => {
  it("reads and writes the server's words itself", async () => {
    const read = { challenge: bytes(1) };
    const credentials = browser(async () => ({ toJSON: () => ({ id: "BAU" }) }), {
      parseRequestOptionsFromJSON: () => read,
      parseCreationOptionsFromJSON: () => read,
    });
    expect(await answerWithPasskey(ASKED)).toEqual({ id: "BAU" });
    expect(await createPasskey(MAKING)).toEqual({ id: "BAU" });
    expect(credentials.get).toHaveBeenCalledWith({ publicKey: read });
    expect(credentials.create).toHaveBeenCalledWith({ publicKey: read });
  });
});

describe("what stood in the way", () => {
  it.each([
    ["NotAllowedError", "cancelled"],
    ["AbortError", "cancelled"],
    ["InvalidStateError", "known"],
    ["SecurityError", "address"],
    ["NotSupportedError", "unsupported"],
    ["UnknownError", "failed"],
  ])("%s is %s", async (name, fault) => {
    browser(() => Promise.reject(new DOMException("", name)));
    await expect(createPasskey(MAKING)).rejects.toMatchObject({ fault });
  });

  it("is known before anybody presses", async () => {
    vi.stubGlobal("isSecureContext", false);
    expect(passkeyHindrance()).toBe("insecure");
    await expect(answerWithPasskey(ASKED)).rejects.toMatchObject({ fault: "insecure" });
    vi.stubGlobal("isSecureContext", true);
    vi.stubGlobal("PublicKeyCredential", undefined);
    expect(passkeyHindrance()).toBe("unsupported");
    browser(async () => null);
    expect(passkeyHindrance()).toBeNull();
  });
});
