import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { expectAccessible } from "../../test/page.tsx";
import {
  announce,
  announceNow,
  Button,
  ControlBox,
  DevicePicker,
  Dialog,
  IconButton,
  Menu,
  Meter,
  monogramOf,
  SealBadge,
  Switch,
  TextField,
} from "./index.ts";
import { applyTheme, asTheme } from "./theme.ts";

describe("Button", () => {
  it("that cannot be used stays in the tab order, says why, and does nothing", async () => {
    const onPress = vi.fn();
    render(
      <Button onPress={onPress} disabledReason="Only the host may do this">
        End
      </Button>,
    );
    const button = screen.getByRole("button", { name: "End" });
    await userEvent.tab();
    expect(document.activeElement).toBe(button);
    expect(button.getAttribute("aria-disabled")).toBe("true");
    expect(await screen.findByRole("tooltip")).toBeTruthy();
    await userEvent.click(button);
    await userEvent.keyboard("{Enter} ");
    expect(onPress).not.toHaveBeenCalled();
    await expectAccessible();
  });

  it("that is busy does not submit its form again", async () => {
    const onSubmit = vi.fn((event: { preventDefault(): void }) => event.preventDefault());
    render(
      <form onSubmit={onSubmit}>
        <Button type="submit" isBusy>
          Opening…
        </Button>
      </form>,
    );
    await userEvent.click(screen.getByRole("button"));
    expect(onSubmit).not.toHaveBeenCalled();
  });

  it("of an icon alone has a name", async () => {
    const onPress = vi.fn();
    render(<IconButton icon="copy" label="Copy link" onPress={onPress} />);
    await userEvent.click(screen.getByRole("button", { name: "Copy link" }));
    expect(onPress).toHaveBeenCalledOnce();
    await expectAccessible();
  });
});

describe("components", () => {
  it("have nothing for axe to find", async () => {
    render(
      <main>
        <TextField label="Your name" hint="Shown to the others." />
        <TextField label="Link" error="This is not a link." value="x" onChange={() => {}} />
        <Switch isSelected onChange={() => {}}>
          Mirror
        </Switch>
        <Meter label="Microphone" level={0.5} />
        <SealBadge state="open">Not sealed</SealBadge>
        <ControlBox icon="mic" label="Mute" />
        <DevicePicker
          label="Camera"
          icon="cam"
          choices={[]}
          value={null}
          onChange={() => {}}
          emptyText="No camera found"
        />
      </main>,
    );
    expect(screen.getByRole("meter").getAttribute("aria-valuenow")).toBe("6");
    await expectAccessible();
  });

  it("DevicePicker lists the devices and tells the choice", async () => {
    const onChange = vi.fn();
    const choices = [
      { id: "a", label: "Lid camera" },
      { id: "b", label: "Desk camera" },
    ];
    render(
      <DevicePicker
        label="Camera"
        icon="cam"
        choices={choices}
        value="a"
        onChange={onChange}
        emptyText="None"
      />,
    );
    await userEvent.click(screen.getByRole("button"));
    await userEvent.click(await screen.findByRole("option", { name: "Desk camera" }));
    expect(onChange).toHaveBeenCalledWith("b");
  });

  it("Menu marks the one that is chosen", async () => {
    const onAction = vi.fn();
    const entries = [
      { id: "light", label: "Light" },
      { id: "dark", label: "Dark" },
    ];
    render(
      <Menu
        label="Appearance"
        trigger={<IconButton icon="theme" label="Appearance" />}
        groups={[{ id: "theme", title: "Appearance", selectedId: "light", entries }]}
        onAction={onAction}
      />,
    );
    await userEvent.click(screen.getByRole("button", { name: "Appearance" }));
    const light = await screen.findByRole("menuitemradio", { name: "Light" });
    expect(light.getAttribute("aria-checked")).toBe("true");
    await expectAccessible();
    await userEvent.click(screen.getByRole("menuitemradio", { name: "Dark" }));
    expect(onAction).toHaveBeenCalledWith("dark", "theme");
  });

  it("Dialog starts on itself, named by its title, and closes with Escape", async () => {
    const onClose = vi.fn();
    render(
      <Dialog isOpen title="End it?" onClose={onClose} actions={<Button>End</Button>}>
        <p>Everybody is disconnected.</p>
      </Dialog>,
    );
    expect(document.activeElement).toBe(screen.getByRole("dialog", { name: "End it?" }));
    await expectAccessible();
    await userEvent.keyboard("{Escape}");
    expect(onClose).toHaveBeenCalledOnce();
  });
});

describe("live regions", () => {
  const text = (id: string) => document.getElementById(id)?.textContent;

  it("get text, and the same words again as a change", () => {
    announce("Jonas joined.");
    expect(text("live-polite")).toBe("Jonas joined.");
    const before = text("live-polite");
    announce("Jonas joined.");
    expect(text("live-polite")).not.toBe(before);
    announceNow("You are muted.");
    expect(text("live-assertive")).toBe("You are muted.");
  });
});

describe("theme", () => {
  afterEach(() => applyTheme("system"));

  it("follows the system unless one is chosen", () => {
    applyTheme("dark");
    expect(document.documentElement.dataset["theme"]).toBe("dark");
    applyTheme("system");
    expect(document.documentElement.dataset["theme"]).toBeUndefined();
    expect([asTheme("dark"), asTheme("purple"), asTheme(null)]).toEqual([
      "dark",
      "system",
      "system",
    ]);
  });
});

describe("monogramOf", () => {
  it.each([
    ["Peter Lindqvist", "PL"],
    ["Sofia", "S"],
    ["ada de la cruz", "AC"],
    ["👩‍🔬 Zoë", "👩Z"],
    ["", ""],
  ])("%s is %s", (name, monogram) => {
    expect(monogramOf(name)).toBe(monogram);
  });
});
