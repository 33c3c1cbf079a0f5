import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { expectAccessible, problem, type Server, serve, showPage } from "../../../test/page.tsx";
import { OperatorPage } from "./OperatorPage.tsx";

const REDEEM = "POST /api/v1/operator-link";
const SIGNED_IN = { body: { user: { id: "usr_1", role: "operator", created_at: "" } } };

function open(hash: string, server: Server) {
  history.replaceState(null, "", `/operator${hash}`);
  const asked = serve(server);
  showPage(<OperatorPage />);
  return asked;
}

describe("/operator", () => {
  it("redeems the link, takes it out of the address bar, and goes to the start page", async () => {
    const asked = open("#secret", { [REDEEM]: SIGNED_IN });
    expect(location.hash).toBe("");
    await waitFor(() => expect(location.pathname).toBe("/"));
    expect(asked.map(({ body }) => body)).toEqual([{ token: "secret" }]);
  });

  it("says how to get a new link when this one is used up", async () => {
    open("#old", { [REDEEM]: problem(404, "not_found") });
    expect(await screen.findByText("conclave operator-link")).toBeTruthy();
    expect(location.hash).toBe("");
    await expectAccessible();
  });

  it("says that something is missing when there is no token", async () => {
    const asked = open("", {});
    expect(await screen.findByRole("heading", { name: /Something is missing/ })).toBeTruthy();
    expect(asked).toEqual([]);
    await expectAccessible();
  });

  it("keeps the token for another try when the server cannot be reached", async () => {
    const server: Server = {};
    open("#secret", server);
    const retry = await screen.findByRole("button", { name: "Try again" });
    await expectAccessible();
    server[REDEEM] = SIGNED_IN;
    await userEvent.click(retry);
    await waitFor(() => expect(location.pathname).toBe("/"));
  });
});
