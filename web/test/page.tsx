/** Puts a page on the screen with a server made of answers, and has it looked at by axe. */
import { QueryClientProvider } from "@tanstack/react-query";
import { type RenderResult, render } from "@testing-library/react";
import axe from "axe-core";
import type { ReactNode } from "react";
import { I18nProvider } from "react-aria-components";
import { expect, vi } from "vitest";
import { createQueryClient } from "../src/api/queries.ts";
import { ToastRegion } from "../src/design/index.ts";

export interface Answer {
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Asked {
  call: string;
  headers: Headers;
  body: unknown;
}

/** `"GET /api/v1/session"` -> what the server says; a missing call is an unreachable server. */
export type Server = Record<string, Answer | (() => Answer)>;

export function serve(server: Server): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit = {}) => {
    const call = `${init.method ?? "GET"} ${path}`;
    const body = typeof init.body === "string" ? JSON.parse(init.body) : null;
    asked.push({ call, headers: new Headers(init.headers), body });
    const found = server[call];
    if (!found) throw new TypeError("Failed to fetch");
    const {
      status = 200,
      body: answer,
      headers = {},
    } = typeof found === "function" ? found() : found;
    return new Response(answer === undefined ? null : JSON.stringify(answer), { status, headers });
  });
  return asked;
}

export function problem(status: number, code: string): Answer {
  return { status, body: { type: "about:blank", title: "", status, detail: "", code } };
}

export function showPage(page: ReactNode): RenderResult {
  const client = createQueryClient();
  client.setDefaultOptions({ queries: { ...client.getDefaultOptions().queries, retry: false } });
  return render(
    <I18nProvider locale="en-GB">
      <QueryClientProvider client={client}>
        {page}
        <ToastRegion label="Messages" closeLabel="Close" />
      </QueryClientProvider>
    </I18nProvider>,
  );
}

/** Fails with what axe found. Colours need a real browser and are checked there. */
export async function expectAccessible(): Promise<void> {
  const { violations } = await axe.run(document.body, {
    rules: { "color-contrast": { enabled: false }, region: { enabled: false } },
  });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.html).join(" ")}`)).toEqual(
    [],
  );
}
