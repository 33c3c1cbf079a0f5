import { describe, expect, it, vi } from "vitest";
import { serverShelf } from "./shelf.ts";

function answering(answer: Response | Error): Request[] {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    asked.push(new Request(new URL(path, "http://localhost"), init));
    if (answer instanceof Error) throw answer;
    return answer;
  });
  return asked;
}

const bytes = Uint8Array.of(1, 2, 3);
const tag = { headers: { etag: '"7"' } };

describe("reading", () => {
  it("gives bytes and version", async () => {
    const [asked] = [answering(new Response(bytes, tag))];
    expect(await serverShelf().fetch()).toEqual({ type: "found", bytes, version: '"7"' });
    expect(asked[0]?.method).toBe("GET");
  });

  it.each([
    [new Response(null, { status: 404 }), "none"],
    [new Response(null, { status: 401 }), "signed-out"],
    [new Response(null, { status: 403 }), "signed-out"],
    [new Response(null, { status: 500, ...tag }), "unavailable"],
    [new Response("<html>"), "unavailable"],
    [new TypeError("no network"), "unavailable"],
  ])("tells %o", async (answer, type) => {
    answering(answer);
    expect(await serverShelf().fetch()).toEqual({ type });
  });
});

describe("writing", () => {
  it("names what it replaces", async () => {
    const asked = answering(new Response(null, { status: 204, ...tag }));
    expect(await serverShelf().store(bytes, '"6"')).toEqual({ type: "stored", version: '"7"' });
    const [request] = asked;
    expect(request?.method).toBe("PUT");
    expect(request?.headers.get("if-match")).toBe('"6"');
    expect(request?.headers.get("if-none-match")).toBeNull();
    expect(request?.headers.get("x-conclave")).toBe("1");
    expect(new Uint8Array((await request?.arrayBuffer()) ?? [])).toEqual(bytes);
  });

  it("never replaces anything with a first one", async () => {
    const asked = answering(new Response(null, { status: 204, ...tag }));
    await serverShelf().store(bytes, null);
    expect(asked[0]?.headers.get("if-none-match")).toBe("*");
    expect(asked[0]?.headers.get("if-match")).toBeNull();
  });

  it.each([
    [new Response(null, { status: 412 }), "conflict"],
    [new Response(null, { status: 401 }), "signed-out"],
    [new Response(null, { status: 413 }), "unavailable"],
    [new Response("<html>"), "unavailable"],
    [new TypeError("no network"), "unavailable"],
  ])("tells %o", async (answer, type) => {
    answering(answer);
    expect(await serverShelf().store(bytes, null)).toEqual({ type });
  });
});
