/** The server's mailbox between two devices of one person, in the page's `fetch`; it may lie. */
import { vi } from "vitest";
import type { DeviceLink, LinkValue } from "../src/api/deviceLinks.ts";

const PATH = "/api/v1/account/device-links";
export const LINK = "dvl_6mg8p21800ag05s2ctversgyed";
const VALUES: readonly LinkValue[] = ["offer", "reveal", "parcel"];

export class Mailbox {
  link: DeviceLink | null = null;
  /** Calls in order, as `PUT offer`. */
  readonly calls: string[] = [];
  /** Before a value is handed on. */
  lie: (link: DeviceLink) => DeviceLink = (link) => link;
  #waiting: (() => void)[] = [];

  /** A new device has asked; none of the test's own. */
  ask(commitment: string): void {
    this.link = {
      id: LINK,
      commitment,
      created_at: "2026-01-02T10:00:00Z",
      browser: "Firefox on Linux",
      place: "203.0.113.0/24",
      state: 0,
    };
    this.#wake();
  }

  put(which: LinkValue, value: string): number {
    const { link } = this;
    if (link === null) return 404;
    if (VALUES[link.state] !== which) return 409;
    this.link = { ...link, state: link.state + 1, [which]: value };
    this.#wake();
    return 204;
  }

  cancel(): void {
    this.link = null;
    this.#wake();
  }

  /** The other device's value, when it is there. */
  async value(which: LinkValue): Promise<string> {
    while (!this.link?.[which]) await this.#change();
    return this.link[which];
  }

  async until(hasCome: () => boolean): Promise<void> {
    while (!hasCome()) await this.#change();
  }

  /** Call after `serve`. */
  serve(): this {
    const other = fetch;
    vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
      if (!path.startsWith(PATH)) return other(path, init);
      const [, id, which] = path.slice(PATH.length).split(/[/?]/);
      const body = typeof init.body === "string" ? JSON.parse(init.body) : {};
      return this.#answer(init.method ?? "GET", { path, id, which }, body, init.signal);
    });
    return this;
  }

  async #answer(
    method: string,
    { path, id, which }: { path: string; id: string | undefined; which: string | undefined },
    body: Record<string, string>,
    signal: AbortSignal | null | undefined,
  ): Promise<Response> {
    if (method === "POST") {
      this.calls.push("POST");
      this.ask(body["commitment"] ?? "");
      return Response.json({ id: LINK, expires_at: "2026-01-02T10:10:00Z" });
    }
    if (method === "PUT") {
      this.calls.push(`PUT ${which}`);
      return new Response(null, { status: this.put(which as LinkValue, body["value"] ?? "") });
    }
    if (method === "DELETE") {
      this.calls.push("DELETE");
      this.cancel();
      return new Response(null, { status: 204 });
    }
    if (id === undefined) return Response.json({ links: this.link ? [this.link] : [] });
    const after = /after=(\d+)/.exec(path)?.[1];
    while (after !== undefined && this.link !== null && this.link.state <= Number(after)) {
      await Promise.race([this.#change(), aborted(signal)]);
      signal?.throwIfAborted();
    }
    if (this.link === null) return new Response(null, { status: 404 });
    return Response.json(this.lie(this.link));
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

function aborted(signal: AbortSignal | null | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener("abort", () => resolve()));
}
