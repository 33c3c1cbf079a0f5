/**
 * Strict reading of JSON that a stranger sent: tables of fields, each with a check. What does not
 * fit is `BAD`, never an exception; unknown fields are left out.
 */

import { fromB64 } from "./bytes.ts";

export const BAD = Symbol("bad");
export type Check<T> = (value: unknown) => T | typeof BAD;
export type Shape = Readonly<Record<string, Check<unknown>>>;
export type Shaped<S extends Shape> = {
  readonly [K in keyof S]: S[K] extends Check<infer T> ? T : never;
};

export const text =
  (most: number, least = 0): Check<string> =>
  (value) =>
    typeof value === "string" && value.length <= most && value.length >= least ? value : BAD;

export const count: Check<number> = (value) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : BAD;

export const flag: Check<boolean> = (value) => (typeof value === "boolean" ? value : BAD);

/** Bytes as base64url; `length` null: any. */
export const bytes =
  (length: number | null = null): Check<Uint8Array> =>
  (value) => {
    const read = typeof value === "string" ? fromB64(value) : null;
    return read !== null && (length === null || read.length === length) ? read : BAD;
  };

export const oneOf =
  <T extends string>(...names: readonly T[]): Check<T> =>
  (value) =>
    names.find((name) => name === value) ?? BAD;

export const nullable =
  <T>(check: Check<T>): Check<T | null> =>
  (value) =>
    value === null || value === undefined ? null : check(value);

export const list =
  <T>(check: Check<T>, most: number): Check<readonly T[]> =>
  (value) => {
    if (!Array.isArray(value) || value.length > most) return BAD;
    const items = value.map(check);
    return items.includes(BAD) ? BAD : (items as T[]);
  };

export const object =
  <S extends Shape>(shape: S): Check<Shaped<S>> =>
  (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return BAD;
    const given = value as Readonly<Record<string, unknown>>;
    const read: Record<string, unknown> = {};
    for (const [name, check] of Object.entries(shape)) {
      const field = check(Object.hasOwn(given, name) ? given[name] : undefined);
      if (field === BAD) return BAD;
      read[name] = field;
    }
    return read as Shaped<S>;
  };

/** One of several objects, told apart by the field `tag`. */
export function tagged<T extends string, S extends Readonly<Record<string, Shape>>>(
  tag: T,
  shapes: S,
): Check<{ readonly [K in keyof S]: { readonly [P in T]: K } & Shaped<S[K]> }[keyof S]> {
  const checks = new Map(
    Object.entries(shapes).map(([name, shape]) => [name, object({ ...shape, [tag]: oneOf(name) })]),
  );
  return (value) => {
    const name = (value as Readonly<Record<string, unknown>> | null | undefined)?.[tag];
    const check = typeof name === "string" ? checks.get(name) : undefined;
    return check === undefined ? BAD : (check(value) as never);
  };
}
