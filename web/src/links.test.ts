import { describe, expect, it } from "vitest";
import { meetingPath, parseMeetingReference } from "./links.ts";

const ID = "mtg_6mg8p21800ag05s2ctversgyed";
const SECRET = "1.AAECAwQFBgcICQoLDA0ODw.qSayMJuhTE780WrtO-XMtw";
const OWN = "https://meet.example:8443";
const parse = (text: string) => parseMeetingReference(text, OWN);

describe("parseMeetingReference", () => {
  it.each([
    `${OWN}/m/${ID}`,
    `  ${OWN}/m/${ID}  `,
    `${OWN}/m/${ID}/`,
    `${OWN}/m/${ID}?from=mail`,
    `HTTPS://MEET.EXAMPLE:8443/m/${ID}`,
    `http://meet.example:8443/m/${ID}`,
    `meet.example:8443/m/${ID}`,
    `<${OWN}/m/${ID}>.`,
    `„${OWN}/m/${ID}“`,
    `/m/${ID}`,
    `m/${ID}`,
    ID,
    ID.toUpperCase(),
    ID.replaceAll("0", "O").replaceAll("1", "l"),
  ])("reads %s", (text) => {
    expect(parse(text)).toEqual({ kind: "meeting", id: ID, fragment: "" });
  });

  it.each([
    `${OWN}/m/${ID}#${SECRET}`,
    `<${OWN}/m/${ID}#${SECRET}>.`,
    `meet.example:8443/m/${ID}?from=mail#${SECRET}`,
    `/m/${ID}/#${SECRET}`,
    `${ID.toUpperCase()}#${SECRET}`,
  ])("keeps what is behind the # of %s", (text) => {
    const reference = parse(text);
    expect(reference).toEqual({ kind: "meeting", id: ID, fragment: `#${SECRET}` });
    expect(meetingPath(ID, `#${SECRET}`)).toBe(`/m/${ID}#${SECRET}`);
  });

  it("keeps it when it is not as it should be: the room tells", () => {
    expect(parse(`${OWN}/m/${ID}#a#b`)).toMatchObject({ fragment: "#a#b" });
    expect(parse(`${OWN}/m/${ID}#`)).toMatchObject({ fragment: "#" });
  });

  it("gives another server's fragment to nobody", () => {
    expect(JSON.stringify(parse(`https://elsewhere.example/m/${ID}#${SECRET}`))).not.toContain(
      "AAEC",
    );
  });

  it("names the other server of a foreign link", () => {
    expect(parse(`https://elsewhere.example/m/${ID}`)).toEqual({
      kind: "foreign",
      host: "elsewhere.example",
    });
  });

  it.each(["", "   ", "<>"])("takes %j for nothing", (text) => {
    expect(parse(text)).toEqual({ kind: "empty" });
  });

  it.each([
    "hello",
    `javascript:alert(1)//m/${ID}`,
    `data:text/html,/m/${ID}`,
    `${OWN}/operator#${ID}`,
    `${OWN}/m/${ID}/more`,
    `${OWN}/m/../operator`,
    "mtg_",
    `mtg_${"a".repeat(65)}`,
    "https://",
    "/m/%2e%2e",
    "x".repeat(100_000),
  ])("does not take %.40s for a link", (text) => {
    expect(parse(text)).toEqual({ kind: "unreadable" });
  });
});
