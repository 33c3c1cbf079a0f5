import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterAll, describe, expect, it, vi } from "vitest";
import { expectAccessible, serve, showPage } from "../../test/page.tsx";
import { switchLanguage } from "../i18n/index.ts";
import { CrashBoundary } from "./CrashBoundary.tsx";
import { Routes } from "./Routes.tsx";

afterAll(() => switchLanguage("en"));

describe("routes", () => {
  it("an unknown address is a calm page that leads on", async () => {
    history.replaceState(null, "", "/nothing/here");
    serve({ "GET /api/v1/session": { body: { user: null } } });
    showPage(<Routes />);
    expect(screen.getByRole("heading", { level: 1 }).textContent).toMatch(
      /nothing at this address/,
    );
    expect(document.title).toBe("Nothing here · conclave");
    await expectAccessible();
    await userEvent.click(screen.getByRole("button", { name: "To the start page" }));
    expect(await screen.findByRole("heading", { name: "Come in with your link." })).toBeTruthy();
    // The new page's heading has the focus, so that screen readers start there.
    expect(document.activeElement?.tagName).toBe("H1");
  });

  it("the language can be switched on every page, window title and lang with it", async () => {
    history.replaceState(null, "", "/nothing");
    showPage(<Routes />);
    const button = screen.getByRole("button", { name: "Deutsch" });
    expect(button.getAttribute("lang")).toBe("de");
    await userEvent.click(button);
    expect(await screen.findByText("Unter dieser Adresse ist nichts.")).toBeTruthy();
    await waitFor(() => expect(document.title).toBe("Hier ist nichts · conclave"));
    expect(document.documentElement.lang).toBe("de");
    await expectAccessible();
  });
});

function Broken(): never {
  throw new Error("broken on purpose");
}

describe("a page that breaks", () => {
  it("is caught, and can be loaded again", async () => {
    await switchLanguage("en");
    // React tells the console of what its boundary has caught.
    vi.spyOn(console, "error").mockImplementation(() => {});
    showPage(
      <CrashBoundary>
        <Broken />
      </CrashBoundary>,
    );
    expect(screen.getByRole("button", { name: "Load the page again" })).toBeTruthy();
    await expectAccessible();
  });
});
