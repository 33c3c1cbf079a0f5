import { act, render, screen } from "@testing-library/react";
import { Suspense, use } from "react";
import { expect, it } from "vitest";
import { useFragment } from "./useFragment.ts";

function Late({ text }: { text: Promise<string> }) {
  return <p>{use(text)}</p>;
}

function Page({ text }: { text: Promise<string> }) {
  const code = useFragment((fragment) => fragment.slice(1));
  return (
    <>
      <p>the code is {code}</p>
      <Late text={text} />
    </>
  );
}

it("is read when the page comes late and is drawn twice, and gone from the address then", async () => {
  history.replaceState(null, "", "/link#secret");
  let arrive: (text: string) => void = () => undefined;
  const text = new Promise<string>((resolve) => {
    arrive = resolve;
  });
  await act(async () => {
    render(
      <Suspense fallback={<p>coming</p>}>
        <Page text={text} />
      </Suspense>,
    );
  });
  expect(screen.getByText("coming")).toBeTruthy();
  await act(async () => arrive("here it is"));
  expect(screen.getByText("here it is")).toBeTruthy();
  expect(screen.getByText("the code is secret")).toBeTruthy();
  expect([location.pathname, location.hash]).toEqual(["/link", ""]);
});
