/**
 * Proof of work for a crowded door (docs/reference/sealing-protocol.md, 7): looks for a nonce. Pure.
 * SHA-256 (FIPS 180-4) by hand: what comes before the nonce fills the first block, so each try costs
 * one block. Measured in bench/work_cost.py against @noble/hashes and WebCrypto. For nothing secret:
 * must never be used where a hash protects anything.
 */

const LABEL = new TextEncoder().encode("conclave work v1");
const BLOCK = 64;

// Cube roots of the first 64 primes: the first 32 bits of their fractions (FIPS 180-4, 4.2.2).
const PRIMES = Array.from({ length: 312 }, (_, n) => n).filter((n) => n > 1 && isPrime(n));
const fraction = (root: number) => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
const K = Int32Array.from(PRIMES.slice(0, 64), (prime) => fraction(Math.cbrt(prime)));
const START = Int32Array.from(PRIMES.slice(0, 8), (prime) => fraction(Math.sqrt(prime)));

function isPrime(n: number): boolean {
  for (let d = 2; d * d <= n; d += 1) if (n % d === 0) return false;
  return true;
}

/** One block of 16 words on top of `from`; the words are overwritten beyond the 16th. */
function compress(from: Int32Array, w: Int32Array, to: Int32Array): void {
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15] as number;
    const y = w[i - 2] as number;
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = ((w[i - 16] as number) + s0 + (w[i - 7] as number) + s1) | 0;
  }
  let a = from[0] as number;
  let b = from[1] as number;
  let c = from[2] as number;
  let d = from[3] as number;
  let e = from[4] as number;
  let f = from[5] as number;
  let g = from[6] as number;
  let h = from[7] as number;
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + (K[i] as number) + (w[i] as number)) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + t1) | 0;
    d = c;
    c = b;
    b = a;
    a = (t1 + t2) | 0;
  }
  to[0] = ((from[0] as number) + a) | 0;
  to[1] = ((from[1] as number) + b) | 0;
  to[2] = ((from[2] as number) + c) | 0;
  to[3] = ((from[3] as number) + d) | 0;
  to[4] = ((from[4] as number) + e) | 0;
  to[5] = ((from[5] as number) + f) | 0;
  to[6] = ((from[6] as number) + g) | 0;
  to[7] = ((from[7] as number) + h) | 0;
}

export interface Task {
  /** 16 to 48 bytes. */
  readonly challenge: Uint8Array;
  /** SHA-256 of the KeyPackage, 32 bytes. */
  readonly digest: Uint8Array;
  /** At most 32: the first word of the hash is looked at. */
  readonly bits: number;
}

/** The smallest nonce from `first` on, of `tries`, that will do; null: none of them. */
export function search(task: Task, first: number, tries: number): number | null {
  const { challenge, digest, bits } = task;
  const length = LABEL.length + challenge.length + digest.length + 8;
  const padded = new Uint8Array(2 * BLOCK);
  padded.set(LABEL);
  padded.set(challenge, LABEL.length);
  padded.set(digest, LABEL.length + challenge.length);
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(2 * BLOCK - 4, length * 8);
  const w = new Int32Array(64);
  const words = (from: number, first: number, end: number) => {
    for (let i = first; i < end; i += 1) w[i] = view.getInt32(from + 4 * i);
  };
  const begun = new Int32Array(8);
  words(0, 0, 16);
  compress(START, w, begun);
  words(BLOCK, 0, 16);
  // Of the second block only these change.
  const at = (length - 8 - BLOCK) >> 2;
  const hash = new Int32Array(8);
  const most = bits === 0 ? 0 : 32 - bits;
  for (let nonce = first; nonce < first + tries; nonce += 1) {
    view.setUint32(length - 8, Math.floor(nonce / 2 ** 32));
    view.setUint32(length - 4, nonce >>> 0);
    words(BLOCK, at, at + 3);
    compress(begun, w, hash);
    if (bits === 0 || (hash[0] as number) >>> most === 0) return nonce;
  }
  return null;
}

/** As the knock carries it: 8 bytes. */
export function nonceBytes(nonce: number): Uint8Array {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(nonce / 2 ** 32));
  view.setUint32(4, nonce >>> 0);
  return bytes;
}
