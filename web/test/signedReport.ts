/** A report with a device key of the test's own, signed as a browser signs it. */
import { b64 } from "../src/sealing/keys/bytes.ts";
import { certify, memberIdentity } from "../src/sealing/keys/credential.ts";
import { generateKey, sign } from "../src/sealing/keys/ed25519.ts";
import type { Report, ReportPerson } from "../src/sealing/report/format.ts";
import { sealReport, signedContent } from "../src/sealing/report/seal.ts";

export const AT = Date.UTC(2026, 0, 2, 10, 0);
const INSTANCE = new Uint8Array(16).fill(7);

export async function reportPerson(
  name: string | null,
  change: Partial<ReportPerson> = {},
): Promise<ReportPerson> {
  const deviceKey = (await generateKey()).publicKey;
  return {
    identity: await memberIdentity(deviceKey, INSTANCE),
    device_key: b64(deviceKey),
    name,
    role: "member",
    came: "link",
    invitation: null,
    invited_as: null,
    other_device: false,
    added_by: null,
    joined_at: AT - 120_000,
    left_at: null,
    ...change,
  };
}

export interface Made {
  readonly report: Report;
  readonly text: string;
  readonly digest: Uint8Array;
}

/** Of somebody called Ada; `hasAccount`: with a certificate of an account. */
export async function signedReport(
  change: Partial<Report> = {},
  { hasAccount = false, reporter = {} as Partial<Report["reporter"]> } = {},
): Promise<Made> {
  const device = await generateKey();
  const credential = hasAccount ? await certify(await generateKey(), device.publicKey) : null;
  const report: Report = {
    v: 1,
    kind: "conclave report",
    meeting: "mtg_6mg8p21800ag05s2ctversgyed",
    instance: b64(INSTANCE),
    made_at: AT,
    reporter: {
      identity: await memberIdentity(device.publicKey, INSTANCE),
      device_key: b64(device.publicKey),
      account_key: credential === null ? null : b64(credential.accountKey),
      certificate: credential === null ? null : b64(credential.certificate),
      name: "Ada",
      ...reporter,
    },
    about: [],
    people: [],
    events: [],
    chat: [],
    note: "",
    pictures: [],
    ...change,
  };
  const sealed = await sealReport(report, (digest) => sign(device, signedContent(digest)));
  return { report, ...sealed };
}

/** As much of a JPEG as says how large it is. */
export function jpegHead(width: number, height: number): string {
  const two = (value: number) => [value >> 8, value & 255];
  const comment = [0xff, 0xfe, 0, 4, 1, 2];
  const frame = [0xff, 0xc0, 0, 11, 8, ...two(height), ...two(width), 1, 0, 0, 0];
  return b64(Uint8Array.of(0xff, 0xd8, ...comment, ...frame, 0xff, 0xd9));
}
