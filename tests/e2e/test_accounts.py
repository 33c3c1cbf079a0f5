"""Accounts in the browser: passkeys, invitations, codes for bad days, sessions, further devices."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.e2e import qr
from tests.e2e.passkeys import Authenticator
from tests.e2e.person import Person
from tests.e2e.product import Product
from tests.e2e.test_pages import LOOKS, assert_accessible

pytestmark = pytest.mark.browser

TITLE = "Xylophonprobe"
_COUNT_PRESSES = """
() => {
  window.presses = 0;
  addEventListener('click', (event) => { if (event.isTrusted) window.presses += 1; }, true);
}
"""


def choose(person: Person, name: str) -> None:
    """From the account menu."""
    person.button(re.compile("^(You|Sie): ")).click()
    person.page.get_by_role("menuitem", name=name).click()


def make_passkey(person: Person) -> list[str]:
    """On the set-up page; the recovery codes that come with it."""
    person.press("Make a passkey")
    codes = person.page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    shown = codes.all_inner_texts()
    person.press("I have kept them")
    expect(person.button("Start a room now")).to_be_visible()
    return shown


def settled_operator(product: Product, people: Callable[..., Person]) -> tuple[Person, list[str]]:
    host = people("Hanna Vogel")
    Authenticator(host)
    assert product.operator_link is not None
    host.become_operator(product.operator_link)
    host.press("Set up signing in")
    return host, make_passkey(host)


def invite(host: Person) -> str:
    choose(host, "Members")
    host.press("Invite", exact=True)
    host.press("Make the link")
    link = host.page.get_by_role("dialog").or_(host.page.get_by_role("alertdialog"))
    address = link.get_by_text(re.compile(r"/welcome#[\w-]+$"))
    expect(address).to_be_visible()
    text = str(address.inner_text())
    host.press("Done", exact=True)
    return text


def test_in_and_out_with_a_passkey(own_product: Product, people: Callable[..., Person]) -> None:
    host, _ = settled_operator(own_product, people)
    expect(host.page.get_by_text("Choose how you will sign in next time.")).to_be_hidden()
    choose(host, "Sign out")
    expect(host.button("Sign in", exact=True)).to_be_visible()
    host.page.evaluate(_COUNT_PRESSES)
    host.press("Sign in", exact=True)
    host.press("Sign in with a passkey")
    expect(host.button("Start a room now")).to_be_visible()
    # The third is the device's own question, which nobody has to answer here.
    assert host.page.evaluate("window.presses") + 1 <= 3

    choose(host, "Account")
    passkeys = host.page.get_by_role("region", name="Passkeys")
    expect(passkeys.get_by_text("Chrome, Linux")).to_be_visible()
    passkeys.get_by_role("button", name="Rename the passkey Chrome, Linux").click()
    host.page.get_by_role("textbox", name="Name").fill("Laptop")
    host.page.keyboard.press("Enter")
    expect(passkeys.get_by_text("Laptop")).to_be_visible()
    passkeys.get_by_role("button", name="Remove the passkey Laptop").click()
    host.page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(host.page.get_by_text("This is the only way into the account.")).to_be_visible()


def test_a_member_joins_and_comes_back_by_a_recovery_code(
    own_product: Product, people: Callable[..., Person]
) -> None:
    host, _ = settled_operator(own_product, people)
    link = invite(host)
    expect(host.page.get_by_role("heading", name="Open invitations")).to_be_visible()

    member = people("Jonas Weber")
    authenticator = Authenticator(member)
    member.open(link)
    expect(member.page.get_by_text("With an account you can open rooms")).to_be_visible()
    assert "#" not in member.page.url
    member.press("Make my account")
    codes = make_passkey(member)
    assert authenticator.passkeys() == 1
    expect(member.page.get_by_role("link", name="Members")).to_be_hidden()
    room = member.start_room()
    assert "/m/mtg_" in room

    # The link was used; the host sees who has come.
    late = people("Late")
    late.open(link)
    expect(
        late.page.get_by_role("heading", name="This link does not work any more.")
    ).to_be_visible()
    assert_accessible(late.page, "a used invitation")
    host.page.reload()
    expect(host.page.get_by_text("Member without a name")).to_be_visible()
    expect(host.page.get_by_role("heading", name="Open invitations")).to_be_hidden()
    choose(host, "Log")
    log = host.page.get_by_role("list", name="Audit log").get_by_role("listitem")
    expect(log.filter(has_text="Member joined").filter(has_text="by invitation")).to_have_count(1)
    assert_accessible(host.page, "the audit log")
    choose(host, "Members")

    # Another browser, no passkey there: a code from the paper, once.
    away = people("Jonas elsewhere")
    Authenticator(away).refuse()
    away.open(f"{own_product.url}/sign-in")
    away.press("Sign in with a passkey")
    expect(away.page.get_by_role("main").get_by_role("alert")).to_contain_text(
        "No passkey was used."
    )
    away.press("Recovery code")
    field = away.page.get_by_role("textbox", name="Recovery code")
    field.fill("AAAAA-AAAAA-AAAAA-AAAAA")
    away.press("Sign in", exact=True)
    expect(away.page.get_by_role("main").get_by_role("alert")).to_contain_text(
        "This code is not right"
    )
    assert_accessible(away.page, "a wrong code")
    field.fill(codes[0].lower())
    away.press("Sign in", exact=True)
    expect(away.button("Start a room now")).to_be_visible()

    # The first browser hears of it, sees both, and ends the other one.
    member.open(f"{own_product.url}/account")
    notices = member.page.get_by_role("region", name="What has happened")
    expect(notices.get_by_text("Signed in in a new browser")).to_be_visible()
    expect(notices.get_by_text("Was that you?")).to_be_visible()
    places = member.page.get_by_role("region", name="Where you are signed in")
    expect(places.get_by_role("listitem")).to_have_count(2)
    expect(member.page.get_by_text("9 codes are left.")).to_be_visible()
    places.get_by_role("button", name="Sign out everywhere else").click()
    member.page.get_by_role("alertdialog").get_by_role("button", name="Sign out").click()
    expect(places.get_by_role("listitem")).to_have_count(1)
    away.page.reload()
    expect(away.page.get_by_role("heading", name="Come in with your link.")).to_be_visible()

    # An operator takes the account away, after saying so once more.
    host.button("More for Member without a name").click()
    host.page.get_by_role("menuitem", name="Remove").click()
    host.press("Remove for good")
    expect(host.page.get_by_text("Member without a name", exact=True)).to_be_hidden()
    member.page.reload()
    expect(member.button("Sign in with a passkey")).to_be_visible()


def test_anybody_makes_an_account_where_that_is_open(
    own_product: Product, people: Callable[..., Person]
) -> None:
    nele = people("Nele Brandt")
    Authenticator(nele)
    nele.open(f"{own_product.url}/register")
    expect(
        nele.page.get_by_role("heading", name="Accounts here are by invitation.")
    ).to_be_visible()
    assert_accessible(nele.page, "registration that is closed")
    nele.press("Sign in", exact=True)
    expect(nele.page.get_by_text("People who run this server invite you.")).to_be_visible()

    own_product.stop()
    own_product.environment["CONCLAVE_ACCOUNTS__REGISTRATION"] = "open"
    own_product.start()
    nele.page.reload()
    nele.page.get_by_role("link", name="Make an account").click()
    expect(nele.page.get_by_role("heading", name="Make an account.")).to_be_visible()
    assert_accessible(nele.page, "registration")
    nele.press("Make my account")
    make_passkey(nele)
    room = nele.start_room()
    nele.join(room)
    nele.press("Leave")
    nele.open(own_product.url)
    choose(nele, "Sign out")
    nele.press("Sign in", exact=True)
    nele.press("Sign in with a passkey")
    expect(nele.button("Start a room now")).to_be_visible()


@pytest.mark.parametrize("way", ["code", "words"])
def test_another_device_gets_the_keys(
    own_product: Product, people: Callable[..., Person], way: str
) -> None:
    host, codes = settled_operator(own_product, people)
    host.page.get_by_label("What is it about? (optional)").fill(TITLE)
    host.start_room()
    host.open(own_product.url)

    fresh = people("Hanna elsewhere", phone=True)
    fresh.open(f"{own_product.url}/sign-in")
    fresh.press("Recovery code")
    fresh.page.get_by_role("textbox", name="Recovery code").fill(codes[0])
    fresh.press("Sign in", exact=True)
    fresh.press("Use another device of yours")
    expect(fresh.page.get_by_role("img", name="QR code for your other device")).to_be_visible()
    assert_accessible(fresh.page, "the QR code")
    if way == "code":
        # What the camera would read: the address of the code is not on the page as text.
        address = qr.read(fresh, "QR code for your other device")
        assert re.search(r"/link#dvl_\w{26}\.[\w-]{43}\.[\w-]{43}$", address)
        host.open(address)
        expect(host.page.get_by_text("Chrome on Linux")).to_be_visible()
        assert "#" not in host.page.url
        assert_accessible(host.page, "handing over")
        host.press("Hand over the keys")
    else:
        expect(host.page.get_by_text("A new browser asks for your keys.")).to_be_visible()
        host.press("See who asks")
        host.press("Show the words")
        shown = [
            person.page.get_by_role("list", name="Three words").get_by_role("listitem")
            for person in (host, fresh)
        ]
        for words in shown:
            expect(words).to_have_count(3)
        assert shown[0].all_inner_texts() == shown[1].all_inner_texts()
        assert_accessible(fresh.page, "the words")
        host.press("The same: hand over")
        expect(host.page.get_by_text("Your keys are on the other device.")).to_be_visible()
        expect(fresh.page.get_by_text(TITLE)).to_be_hidden()
        fresh.press("The words are the same")
    expect(fresh.page.get_by_text(TITLE)).to_be_visible()
    fresh.page.reload()
    expect(fresh.page.get_by_text(TITLE)).to_be_visible()


def test_the_keyboard_alone(own_product: Product, people: Callable[..., Person]) -> None:
    host, _ = settled_operator(own_product, people)
    page = host.page
    page.get_by_role("link", name="Members").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Members", level=1)).to_be_focused()
    expect(host.button("Invite", exact=True)).to_be_visible()
    page.keyboard.press("Tab")
    expect(host.button("Invite", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alertdialog", name="Invite somebody")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name=re.compile("^Member"))).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name=re.compile("^Operator"))).to_be_checked()
    page.keyboard.press("Tab")
    page.keyboard.type("jonas@example.org")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alertdialog", name="Hand over this link")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("jonas@example.org")).to_be_visible()


@pytest.mark.parametrize("look", LOOKS)
def test_pages_around_an_account(
    own_product: Product, people: Callable[..., Person], look: dict[str, object]
) -> None:
    german = str(look["language"]).startswith("de")

    def say(english: str, deutsch: str) -> str:
        return deutsch if german else english

    host = people("Hanna Vogel", **look)
    Authenticator(host)
    page = host.page

    def check(path: str, heading: str) -> None:
        host.open(own_product.url + path)
        expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        assert_accessible(page, path)
        page.set_viewport_size({"width": 320, "height": 640})
        assert_accessible(page, f"{path} at 320 px")
        page.set_viewport_size(
            {"width": 390, "height": 844} if look["phone"] else {"width": 1440, "height": 900}
        )

    check("/sign-in", say("Sign in", "Anmelden"))
    check(
        "/register", say("Accounts here are by invitation.", "Konten gibt es hier auf Einladung.")
    )
    check(
        "/welcome#wrong", say("This link does not work any more.", "Dieser Link gilt nicht mehr.")
    )
    assert own_product.operator_link is not None
    host.open(own_product.operator_link)
    host.press(say("Set up signing in", "Anmeldung einrichten"))
    expect(host.button(say("Make a passkey", "Passkey einrichten"))).to_be_visible()
    assert_accessible(page, "set-up")
    host.press(say("Password and code instead", "Lieber Passwort und Code"))
    page.get_by_label(say("Sign-in name", "Anmeldename")).fill("hanna@example.org")
    page.get_by_label(say("New password", "Neues Passwort")).fill("zwölf Xylophone im Regen")
    assert_accessible(page, "a password")
    host.press(say("Go on", "Weiter"))
    expect(
        page.get_by_role("img", name=say("QR code for the app", "QR-Code für die App"))
    ).to_be_visible()
    assert_accessible(page, "the app with the codes")
    page.keyboard.press("Escape")
    host.press(say("Make a passkey", "Passkey einrichten"))
    expect(page.get_by_role("list", name=say("Recovery codes", "Notfallcodes"))).to_be_visible()
    assert_accessible(page, "recovery codes")
    host.press(say("I have kept them", "Ich habe sie aufbewahrt"))
    check("/account", say("Your account", "Ihr Konto"))
    check("/members", say("Members", "Mitglieder"))
    host.press(say("Invite", "Einladen"), exact=True)
    assert_accessible(page, "an invitation")
    host.press(say("Make the link", "Link anlegen"))
    expect(
        page.get_by_role("img", name=say("QR code of the link", "QR-Code des Links"))
    ).to_be_visible()
    assert_accessible(page, "its link")
    host.press(say("Done", "Fertig"), exact=True)
    host.button(re.compile("^(You|Sie): ")).click()
    assert_accessible(page, "the account menu")
