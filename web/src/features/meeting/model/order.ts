/**
 * In which order people stand on the stage. Wanted: pinned first, then who spoke last (within ten
 * minutes), then arrival. What is seen stays put: an order changes at most every three seconds,
 * only by exchanging people between pages, and never moves somebody who speaks in plain view.
 */

export interface Orderable {
  readonly identity: string;
  readonly isSpeaking: boolean;
  /** Milliseconds; null for who has not spoken. */
  readonly lastSpokeAt: number | null;
}

export interface StageOrder {
  readonly identities: readonly string[];
  readonly changedAt: number;
}

export interface OrderInput {
  /** Everybody on the stage, in order of arrival. */
  readonly people: readonly Orderable[];
  /** Pinned identities, first pinned first. */
  readonly pinned: readonly string[];
  readonly pageSize: number;
  /** The page the viewer looks at. */
  readonly page: number;
  readonly now: number;
}

export const CHANGE_INTERVAL_MS = 3_000;
export const SPOKE_LATELY_MS = 10 * 60_000;

export const EMPTY_ORDER: StageOrder = { identities: [], changedAt: Number.NEGATIVE_INFINITY };

/** The order to show next. Returns `previous` itself when nothing changes. */
export function nextOrder(previous: StageOrder, input: OrderInput): StageOrder {
  const kept = keepPresent(previous.identities, input);
  const exchanged =
    input.now - previous.changedAt < CHANGE_INTERVAL_MS ? kept : exchangeAcrossPages(kept, input);
  const isExchanged = exchanged !== kept;
  if (!isExchanged && isSame(kept, previous.identities)) {
    return previous;
  }
  return {
    identities: exchanged,
    // Arrivals, departures and pins are not held up, and do not use up the interval.
    changedAt: isExchanged ? input.now : previous.changedAt,
  };
}

/** Drops who left, appends who came, brings pinned people to the front. */
function keepPresent(current: readonly string[], { people, pinned }: OrderInput): string[] {
  const present = new Set(people.map((person) => person.identity));
  const front = pinned.filter((identity) => present.has(identity));
  const isFront = new Set(front);
  const stayed = current.filter((identity) => present.has(identity) && !isFront.has(identity));
  const known = new Set([...front, ...stayed]);
  const came = people.map((person) => person.identity).filter((identity) => !known.has(identity));
  return [...front, ...stayed, ...came];
}

function exchangeAcrossPages(current: string[], input: OrderInput): string[] {
  const { people, pageSize, page } = input;
  if (current.length <= pageSize) {
    return current;
  }
  const speaking = new Set(
    people.filter((person) => person.isSpeaking).map((person) => person.identity),
  );
  const wanted = rank(input);
  const result = [...current];
  let isChanged = false;
  for (let start = 0; start < result.length; start += pageSize) {
    const end = start + pageSize;
    const belongs = new Set(wanted.slice(start, end));
    const mayMove = (index: number) =>
      !(speaking.has(result[index] as string) && Math.floor(index / pageSize) === page);
    const leaving = indices(start, Math.min(end, result.length)).filter(
      (index) => !belongs.has(result[index] as string) && mayMove(index),
    );
    const entering = indices(end, result.length).filter(
      (index) => belongs.has(result[index] as string) && mayMove(index),
    );
    for (let pair = 0; pair < Math.min(leaving.length, entering.length); pair += 1) {
      const out = leaving[pair] as number;
      const into = entering[pair] as number;
      [result[out], result[into]] = [result[into] as string, result[out] as string];
      isChanged = true;
    }
  }
  return isChanged ? result : current;
}

function rank({ people, pinned, now }: OrderInput): string[] {
  const spoke = (person: Orderable) => {
    if (person.isSpeaking) {
      return now;
    }
    return person.lastSpokeAt !== null && now - person.lastSpokeAt <= SPOKE_LATELY_MS
      ? person.lastSpokeAt
      : Number.NEGATIVE_INFINITY;
  };
  const pinnedAt = new Map(pinned.map((identity, index) => [identity, index]));
  const rankOfPin = (person: Orderable) => pinnedAt.get(person.identity) ?? pinned.length;
  return people
    .map((person, arrival) => ({ person, arrival }))
    .sort((left, right) => {
      const byPin = rankOfPin(left.person) - rankOfPin(right.person);
      if (byPin !== 0) {
        return byPin;
      }
      const leftSpoke = spoke(left.person);
      const rightSpoke = spoke(right.person);
      return leftSpoke === rightSpoke ? left.arrival - right.arrival : rightSpoke - leftSpoke;
    })
    .map(({ person }) => person.identity);
}

function indices(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, offset) => from + offset);
}

function isSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((identity, index) => identity === right[index]);
}
