import { describe, expect, it, vi } from "vitest";
import { problem, serve } from "../../test/page.tsx";
import { ApiError, asApiError, errorFromAnswer } from "./errors.ts";
import { call } from "./http.ts";
import { retryDelay, shouldRetry } from "./queries.ts";

const caught = (promise: Promise<unknown>) => promise.then(() => null, asApiError);

describe("call", () => {
  it("marks what changes something, and only that", async () => {
    const asked = serve({
      "POST /api/v1/meetings": { status: 201, body: { id: "mtg_1" } },
      "GET /api/v1/meetings": { body: { meetings: [] } },
    });
    await call({ method: "POST", path: "/meetings" });
    await call({ path: "/meetings" });
    expect(asked.map(({ headers }) => headers.get("X-Conclave"))).toEqual(["1", null]);
  });

  it("answers nothing for 204", async () => {
    serve({ "DELETE /api/v1/session": { status: 204 } });
    expect(await call({ method: "DELETE", path: "/session" })).toBeUndefined();
  });

  it("reads the code of a problem document", async () => {
    serve({ "GET /api/v1/meetings/x": problem(404, "not_found") });
    expect(await caught(call({ path: "/meetings/x" }))).toMatchObject({
      code: "not_found",
      status: 404,
    });
  });

  it("says unreachable when no answer comes", async () => {
    serve({});
    expect(await caught(call({ path: "/session" }))).toMatchObject({
      code: "unreachable",
      status: 0,
      isTransient: true,
    });
  });

  it("does not take a page of a proxy for an answer", async () => {
    vi.stubGlobal("fetch", async () => new Response("<html>", { status: 200 }));
    expect(await caught(call({ path: "/session" }))).toMatchObject({ code: "unexpected" });
  });
});

describe("errorFromAnswer", () => {
  it.each([
    [401, null, "unauthenticated"],
    [403, { code: "origin" }, "origin"],
    [404, "<html>", "not_found"],
    [418, { code: "teapot" }, "unexpected"],
    [422, { code: 7 }, "invalid"],
    [502, undefined, "unexpected"],
    [503, [], "unavailable"],
  ])("%i with %j is %s", (status, body, code) => {
    expect(errorFromAnswer(status, body, null).code).toBe(code);
  });

  it.each([
    ["7", 7000],
    [" 7 ", 7000],
    ["Wed, 21 Oct 2026 07:28:00 GMT", null],
    ["-1", null],
    [null, null],
  ])("reads Retry-After %j as %j ms", (header, ms) => {
    expect(errorFromAnswer(429, null, header).retryAfterMs).toBe(ms);
  });
});

describe("asking again", () => {
  it("only helps what may pass by itself", () => {
    expect(shouldRetry(0, new ApiError("unreachable", 0))).toBe(true);
    expect(shouldRetry(0, new ApiError("unavailable", 503))).toBe(true);
    expect(shouldRetry(0, new ApiError("not_found", 404))).toBe(false);
    expect(shouldRetry(3, new ApiError("unreachable", 0))).toBe(false);
  });

  it("waits longer each time, and never less than the server asks for", () => {
    const error = new ApiError("unreachable", 0);
    expect([0, 1, 2, 10].map((n) => retryDelay(n, error))).toEqual([500, 1000, 2000, 8000]);
    expect(retryDelay(0, new ApiError("limit_reached", 429, 9000))).toBe(9000);
  });
});
