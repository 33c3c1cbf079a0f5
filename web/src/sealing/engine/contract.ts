/**
 * What the rest of `sealing/` asks of an MLS implementation (RFC 9420). One engine holds one group
 * of one meeting; its state is a value, its calls are serialised. Types only.
 *
 * Bytes are plain `Uint8Array`s that the receiver owns. Nothing here throws for what a stranger
 * sent: it answers `refused` with a reason from a closed list.
 */

/** A leaf index in the ratchet tree. */
export type Leaf = number;

export interface LeafFacts {
  readonly leaf: Leaf;
  /** Ed25519, 32 bytes: the device key. */
  readonly signatureKey: Uint8Array;
  /** `ConclaveCredential`, see docs/reference/sealing-protocol.md, 2. Already verified. */
  readonly accountKey: Uint8Array | null;
  /** How its owner came, if by a personal link; of whichever meeting and host it says. */
  readonly invitation: InvitationFacts | null;
}

/** An invitation whose signature and binding to the leaf's device key are right. */
export interface InvitationFacts {
  readonly meetingId: string;
  /** 32 bytes; one person's. */
  readonly key: Uint8Array;
  readonly role: "attendee" | "cohost" | "presenter" | "listener";
  /** Seconds since 1970; 0: never. */
  readonly expiresAt: number;
  /** Sealed with the link's intro key; empty: none. */
  readonly name: Uint8Array;
  /** Of the host who invited, 32 bytes. */
  readonly accountKey: Uint8Array;
  readonly signature: Uint8Array;
}

/** The group as it stands in one epoch. */
export interface GroupFacts {
  readonly groupId: Uint8Array;
  readonly epoch: number;
  readonly ownLeaf: Leaf;
  /** In leaf order. */
  readonly roster: readonly LeafFacts[];
  /** The bytes of extension 0xF0C0. */
  readonly meeting: Uint8Array;
  /** 32 bytes. */
  readonly authenticator: Uint8Array;
  /** Answer of `join` alone: the Welcome could be opened with the link PSK only. */
  readonly isLinkBound?: boolean;
}

export interface KeyPackageFacts {
  /** KeyPackageRef (RFC 9420, 5.2), 32 bytes. */
  readonly ref: Uint8Array;
  readonly signatureKey: Uint8Array;
  readonly accountKey: Uint8Array | null;
  readonly invitation: InvitationFacts | null;
}

/** What a commit would do, for the rules that judge it before it is applied. */
export interface CommitFacts {
  readonly sender: Leaf;
  readonly adds: readonly KeyPackageFacts[];
  readonly removes: readonly Leaf[];
  /** The new bytes of 0xF0C0; null when they stay. */
  readonly meeting: Uint8Array | null;
  /** The ids of external PSKs. */
  readonly psks: readonly Uint8Array[];
}

/** Pure and synchronous: runs in the worker, in the middle of the library's own checks. Null: fine. */
export type Judge = (before: GroupFacts, commit: CommitFacts) => string | null;

export type Refusal =
  /** Not decodable, or not what it has to be. */
  | "malformed"
  | "wrong-group"
  | "wrong-epoch"
  /** Signature, tag or decryption failed; or it was read before. */
  | "forged"
  /** The judge, or a fixed rule of the group, said no. */
  | "forbidden"
  /** The link PSK is missing here: the same commit can be applied once it is there. */
  | "no-psk"
  /** This Welcome is for somebody else. */
  | "not-for-us"
  /** Our own message, echoed. */
  | "own";

export interface Refused {
  readonly type: "refused";
  readonly reason: Refusal;
  /** For logs of tests; never shown, never holds content. */
  readonly detail: string;
}

export interface Changes {
  /** Encoded KeyPackages. */
  readonly adds: readonly Uint8Array[];
  readonly removes: readonly Leaf[];
  /** New bytes of 0xF0C0. */
  readonly meeting: Uint8Array | null;
  /** Bind the commit to the link PSK. */
  readonly withPsk: boolean;
}

/** An own commit that has not won its epoch yet. */
export interface Staged {
  readonly type: "staged";
  readonly commit: Uint8Array;
  readonly welcome: Uint8Array | null;
}

export type Applied =
  | {
      readonly type: "applied";
      readonly before: GroupFacts;
      readonly after: GroupFacts;
      readonly commit: CommitFacts;
    }
  /** The commit removed our own leaf; `isReplaced`: the same key came back in the same commit. */
  | { readonly type: "removed"; readonly by: Leaf; readonly isReplaced: boolean };

export interface Opened {
  readonly type: "opened";
  readonly sender: Leaf;
  /** The epoch it was sent in; up to 3 back can be opened. */
  readonly epoch: number;
  readonly content: Uint8Array;
}

export interface EngineSetup {
  /** PKCS#8 is never seen here: sign is done by a CryptoKey where the browser can, see `DeviceKey`. */
  readonly device: DeviceKey;
  /** Encoded `ConclaveCredential`. */
  readonly credential: Uint8Array;
}

/** A device key as it crosses to the worker: a non-extractable CryptoKey, or raw bytes without one. */
export type DeviceKey =
  | { readonly type: "webcrypto"; readonly privateKey: CryptoKey; readonly publicKey: Uint8Array }
  | { readonly type: "raw"; readonly seed: Uint8Array; readonly publicKey: Uint8Array };

export interface MlsEngine {
  setUp(setup: EngineSetup): Promise<void>;
  /** A fresh KeyPackage; its private keys stay in the engine until a Welcome uses them. */
  keyPackage(): Promise<{ readonly bytes: Uint8Array; readonly ref: Uint8Array }>;
  /** Decodes and verifies somebody's KeyPackage (signature, suite, lifetime, capabilities, credential). */
  inspect(keyPackage: Uint8Array): Promise<KeyPackageFacts | Refused>;
  create(groupId: Uint8Array, meeting: Uint8Array): Promise<GroupFacts>;
  /** Held for commits and Welcomes bound to the link. */
  setPsk(psk: Uint8Array): Promise<void>;
  join(welcome: Uint8Array): Promise<GroupFacts | Refused>;
  /** Stages a commit; the group stays as it is until `merge`. A second call discards the first. */
  commit(changes: Changes): Promise<Staged | Refused>;
  /** The staged commit has won. */
  merge(): Promise<Applied>;
  /** It has lost; the spent ratchet is kept (sealed-mls.md, C8). */
  discard(): Promise<void>;
  /** Somebody else's commit. Refused leaves the group exactly as it was. */
  apply(commit: Uint8Array): Promise<Applied | Refused>;
  /** Back to the state before the last commit (`reopened`); false when there is none. */
  undo(): Promise<boolean>;
  /** An application message. */
  protect(content: Uint8Array): Promise<{ readonly bytes: Uint8Array; readonly epoch: number }>;
  open(message: Uint8Array): Promise<Opened | Refused>;
  /** MLS-Exporter of the present epoch. */
  exportSecret(label: string, context: Uint8Array, length: number): Promise<Uint8Array>;
  /** Frame keys of all members of the present epoch in one call: identity context -> 32 bytes. */
  exportFrameKeys(identities: readonly string[]): Promise<ReadonlyMap<string, Uint8Array>>;
  /** HPKE keys for private messages: the public half, made at `setUp`. */
  boxKey(): Promise<Uint8Array>;
  sealTo(
    recipient: Uint8Array,
    info: Uint8Array,
    aad: Uint8Array,
    content: Uint8Array,
  ): Promise<Uint8Array>;
  openBox(info: Uint8Array, aad: Uint8Array, box: Uint8Array): Promise<Uint8Array | null>;
  /** Signs with the device key (knocks). */
  sign(content: Uint8Array): Promise<Uint8Array>;
  verify(signatureKey: Uint8Array, content: Uint8Array, signature: Uint8Array): Promise<boolean>;
  /** Forgets every key. */
  close(): void;
}
