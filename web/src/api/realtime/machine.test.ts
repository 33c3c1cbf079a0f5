import { describe, expect, it } from "vitest";
import {
  backoffMs,
  begin,
  type Effect,
  type Happening,
  type RealtimeState,
  step,
} from "./machine.ts";
import { applyEvent } from "./useLiveMeetings.ts";

const frame = (value: unknown): Happening => ({ kind: "frame", text: JSON.stringify(value) });
const hello = (seq: number, resumed = false) => frame({ t: "hello", seq, resumed });
const opened = (seq: number, id = "mtg_1") =>
  frame({ t: "event", seq, type: "meeting.opened", data: { id } });

/** Runs happenings one after another; what was to be done each time. */
function run(...happenings: Happening[]): { state: RealtimeState; done: Effect[][] } {
  let { state } = begin();
  const done = happenings.map((happening) => {
    const next = step(state, happening, 0.5);
    state = next.state;
    return next.effects;
  });
  return { state, done };
}

describe("the realtime socket", () => {
  it("reads the list anew after its first hello", () => {
    const { state, done } = run(hello(7));
    expect(state).toEqual({ phase: "live", seq: 7, failures: 0 });
    expect(done).toEqual([[{ do: "reload" }]]);
  });

  it("resumes from the last event it has seen and passes each on once", () => {
    const { done } = run(
      hello(7),
      opened(8),
      { kind: "closed" },
      { kind: "due" },
      hello(9, true),
      opened(8),
      opened(9, "mtg_2"),
    );
    expect(done[3]).toEqual([{ do: "connect", since: 8 }]);
    expect(done[4]).toEqual([]);
    expect(done[5]).toEqual([]);
    expect(done[6]).toMatchObject([{ do: "deliver", event: { data: { id: "mtg_2" } } }]);
  });

  it("reads the list anew when the server cannot fill the gap", () => {
    const { state, done } = run(hello(7), { kind: "closed" }, { kind: "due" }, hello(2));
    expect(done[3]).toEqual([{ do: "reload" }]);
    expect(state.seq).toBe(2);
  });

  it("answers pings", () => {
    expect(run(hello(1), frame({ t: "ping" })).done[1]).toEqual([
      { do: "send", text: '{"t":"pong"}' },
    ]);
  });

  it("waits as long as a parting server asks", () => {
    const { state, done } = run(
      hello(1),
      frame({ t: "bye", reason: "shutdown", retry_after_ms: 9000 }),
    );
    expect(done[1]).toEqual([{ do: "close" }, { do: "wait", ms: 9000 }]);
    expect(state.phase).toBe("waiting");
  });

  it("gives up a connection that has fallen silent, once", () => {
    const { done } = run(hello(1), { kind: "silent" }, { kind: "closed" }, { kind: "silent" });
    expect(done.slice(1)).toEqual([[{ do: "close" }, { do: "wait", ms: 375 }], [], []]);
  });

  it("waits longer after each failure and starts over after a hello", () => {
    const failing = run(
      { kind: "closed" },
      { kind: "due" },
      { kind: "closed" },
      { kind: "due" },
      hello(1),
    );
    expect(failing.done[0]).toEqual([{ do: "wait", ms: 375 }]);
    expect(failing.done[2]).toEqual([{ do: "wait", ms: 750 }]);
    expect(failing.state.failures).toBe(0);
    expect(backoffMs(1000, 1)).toBe(30_000);
  });

  it.each([
    "",
    "{",
    "null",
    "[]",
    '"hello"',
    '{"t":"hello"}',
    '{"t":"hello","seq":-1}',
    '{"t":"hello","seq":1.5}',
    '{"t":"event","seq":9,"type":"meeting.moved","data":{"id":"x"}}',
    '{"t":"event","seq":9,"type":"meeting.ended","data":null}',
    '{"t":"event","seq":9,"type":"meeting.ended","data":{"id":7}}',
    '{"t":"event","seq":"9","type":"meeting.ended","data":{"id":"x"}}',
    '{"t":"constructor"}',
  ])("is not moved by %s", (text) => {
    const { state, done } = run(hello(5), { kind: "frame", text });
    expect(done[1]).toEqual([]);
    expect(state).toEqual({ phase: "live", seq: 5, failures: 0 });
  });
});

describe("applyEvent", () => {
  const meeting = (id: string, opened_at: string, participants = 0) => ({
    id,
    opened_at,
    participants,
    url: `/m/${id}`,
  });
  const first = meeting("a", "2026-01-01T10:00:00Z");
  const second = meeting("b", "2026-01-01T11:00:00Z");

  it("keeps the newest first and knows each meeting once", () => {
    const list = applyEvent([first], { type: "meeting.opened", data: second });
    expect(list.map(({ id }) => id)).toEqual(["b", "a"]);
    expect(applyEvent(list, { type: "meeting.opened", data: second })).toHaveLength(2);
  });

  it("counts people in place, and takes ended ones out", () => {
    const three = { ...first, participants: 3 };
    expect(applyEvent([second, first], { type: "meeting.participants", data: three })).toEqual([
      second,
      three,
    ]);
    expect(applyEvent([second, first], { type: "meeting.ended", data: first })).toEqual([second]);
  });
});
