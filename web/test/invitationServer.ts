/** A meeting's personal invitations behind `serve`'s fetch, and what was asked of them. */
import { vi } from "vitest";
import type { HostedInvitation, MeetingEntry } from "../src/api/types.ts";
import { fromB64 } from "../src/sealing/keys/bytes.ts";
import { decodeInvitation, invitationId } from "../src/sealing/keys/invitation.ts";

export class InvitationServer {
  invitations: HostedInvitation[] = [];
  entry: MeetingEntry = "open";
  /** Certificates in each call, in order. */
  readonly posts: number[] = [];
  /** `revoke <id>`, `entry invited`, in order. */
  readonly asked: string[] = [];
  /** Nothing comes back. */
  isAway = false;
  /** So many more calls with certificates are answered; then it is out of order. */
  takes = Number.POSITIVE_INFINITY;

  async answer(method: string, path: string, body: unknown): Promise<Response | null> {
    const found = /^\/api\/v1\/meetings\/(mtg_\w+)(?:\/(invitations|entry))?(?:\/([\w-]+))?$/.exec(
      path,
    );
    if (found === null) return null;
    if (this.isAway) throw new TypeError("Failed to fetch");
    const [, meetingId = "", what, id] = found;
    if (what === "entry") {
      this.entry = (body as { entry: MeetingEntry }).entry;
      this.asked.push(`entry ${this.entry}`);
      return new Response(null, { status: 204 });
    }
    if (what === undefined) return json({ id: meetingId, is_open: true, entry: this.entry });
    if (id !== undefined) return this.#change(id, (body as { change: string }).change);
    if (method === "POST") return this.#post((body as { invitations: string[] }).invitations);
    return json({ invitations: this.invitations });
  }

  async #post(certificates: readonly string[]): Promise<Response> {
    if (this.takes <= 0) return json({ code: "unavailable" }, 503);
    this.takes -= 1;
    this.posts.push(certificates.length);
    for (const certificate of certificates) {
      const facts = decodeInvitation(fromB64(certificate) ?? new Uint8Array());
      if (facts === null) return json({ code: "invitation" }, 422);
      const id = await invitationId(facts.key);
      this.invitations.push(invitation({ id, certificate }));
    }
    return json({ invitations: [] }, 201);
  }

  #change(id: string, change: string): Response {
    const one = this.invitations.find((entry) => entry.id === id);
    if (one === undefined) return json({ code: "not_found" }, 404);
    this.asked.push(`${change} ${id}`);
    if (change === "revoke") one.state = "revoked";
    else {
      if (change === "release")
        Object.assign(one, { device: null, bound_at: null, passed_on_at: null });
      one.state = one.device === null ? "unused" : "used";
    }
    return json(one);
  }
}

function invitation(change: Partial<HostedInvitation>): HostedInvitation {
  return {
    id: "",
    certificate: "",
    state: "unused",
    device: null,
    created_at: "2026-01-01T10:00:00Z",
    bound_at: null,
    passed_on_at: null,
    ...change,
  };
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

/** Call after `serve`. */
export function serveInvitations(): InvitationServer {
  const server = new InvitationServer();
  const other = fetch;
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    const body = typeof init.body === "string" ? JSON.parse(init.body) : null;
    return (await server.answer(init.method ?? "GET", path, body)) ?? other(path, init);
  });
  return server;
}
