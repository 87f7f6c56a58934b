"""The sandbox's page as a person and as a developer use it, against a sandbox process."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.chat import PERSON, ChatPage
from tests.browser.conftest import PHONE, overflow
from tests.integration.sandbox.client import INSTAGRAM, INSTAGRAM_TOKEN, PAGE, Client
from tests.integration.sandbox.receiver import Receiver, receiver

SECRET = "sesame"


@pytest.fixture
def client(sandbox: Client) -> Client:
    return sandbox


@pytest.fixture
def app(client: Client) -> Iterator[Receiver]:
    """An app that takes webhooks."""
    with receiver() as state:
        client.control("PUT", "webhooks", {"url": state.url, "app_secret": SECRET, "echo": None})
        yield state


@pytest.fixture
def chat(page: Page, client: Client) -> ChatPage:
    return ChatPage(page, client)


def picture(client: Client) -> str:
    """The address of a picture that can be had."""
    return f"http://127.0.0.1:{client.port}/sandbox/page/icon.svg"


def test_dots_come_and_go_with_the_page_s_actions_and_messages(chat: ChatPage) -> None:
    def ends_with_a_message() -> None:
        chat.send({"text": "hello"})

    def ends_with_typing_off() -> None:
        chat.act("typing_off")

    def ends_by_itself() -> None:
        chat.client.control("POST", "clock/advance", {"seconds": 20})

    chat.open()
    for end in (ends_with_a_message, ends_with_typing_off, ends_by_itself):
        chat.act("typing_on")
        expect(chat.dots).to_be_visible()
        expect(chat.page.locator("#chat-state")).to_contain_text("typing")
        end()
        expect(chat.dots).to_have_count(0)
    expect(chat.messages).to_contain_text("hello")


def test_a_bubble_tells_whether_it_was_delivered_and_read(chat: ChatPage) -> None:
    chat.open()
    chat.send({"text": "hello"})
    bubble = chat.messages.filter(has_text="hello")
    expect(bubble.locator(".mark")).to_have_text("Sent")
    for kind, mark in (("delivery", "Delivered"), ("read", "Seen")):
        chat.client.control("POST", "happenings", {"kind": kind, "page": PAGE, "recipient": PERSON})
        expect(bubble.locator(".mark")).to_have_text(mark)


def test_the_person_writes_which_opens_the_window_and_reaches_the_app_signed(chat: ChatPage, app: Receiver) -> None:
    chat.client.control("POST", "people", {"page": PAGE, "recipient": PERSON, "name": "Ada"})
    chat.open()
    window = chat.page.locator("#window")
    expect(window).to_have_text("No window yet")
    chat.box.fill("Is it here yet?")
    chat.box.press("Enter")
    expect(chat.messages.filter(has_text="Is it here yet?")).to_be_visible()
    expect(window).to_have_text(re.compile("Window open · 23 h 59 min|Window open · 1 d"))
    expect(chat.box).to_have_value("")
    (webhook,) = app.wait_for(1)
    assert webhook.signed_with(SECRET)
    assert webhook.event["message"]["text"] == "Is it here yet?"
    assert webhook.event["sender"] == {"id": PERSON}
    expect(chat.tab("Webhooks").get_by_role("listitem").filter(has_text="messages")).to_contain_text("taken")
    chat.act("mark_seen")
    expect(chat.messages.filter(has_text="Is it here yet?")).to_contain_text("Seen by the page")


def test_a_tap_on_a_quick_reply_is_a_message_with_its_payload(chat: ChatPage, app: Receiver) -> None:
    chat.open()
    replies = [{"content_type": "text", "title": title, "payload": title.upper()} for title in ("Yes", "No")]
    chat.send({"text": "Shall we?", "quick_replies": replies})
    offered = chat.page.get_by_role("group", name="Quick replies").get_by_role("button")
    expect(offered).to_have_text(["Yes", "No"])
    offered.filter(has_text="Yes").click()
    expect(chat.messages.last).to_contain_text("Yes")
    expect(offered).to_have_count(0)
    (webhook,) = app.wait_for(1)
    assert webhook.event["message"]["text"] == "Yes"
    assert webhook.event["message"]["quick_reply"] == {"payload": "YES"}


def test_buttons_of_cards_send_postbacks_and_the_cards_move(chat: ChatPage, app: Receiver) -> None:
    titles = ["Socks", "Wax", "Tent", "Stove"]
    cards = [
        {
            "title": title,
            "subtitle": "In stock",
            "image_url": picture(chat.client),
            "buttons": [
                {"type": "postback", "title": "Order", "payload": f"ORDER {title}"},
                {"type": "web_url", "title": "See", "url": "https://shop.example/"},
            ],
        }
        for title in titles
    ]
    chat.open()
    chat.send({"attachment": {"type": "template", "payload": {"template_type": "generic", "elements": cards}}})
    row = chat.log.get_by_role("list", name="4 cards")
    expect(row.get_by_role("listitem")).to_have_count(4)
    expect(row.get_by_role("link", name="See").first).to_have_attribute("rel", "noopener noreferrer")
    expect(chat.log.get_by_role("button", name="Earlier cards")).to_be_hidden()
    chat.log.get_by_role("button", name="Further cards").click()
    expect(chat.log.get_by_role("button", name="Earlier cards")).to_be_visible()
    row.get_by_role("button", name="Order").nth(3).click()
    (webhook,) = app.wait_for(1)
    assert webhook.event["postback"]["payload"] == "ORDER Stove"
    expect(chat.log).to_contain_text("Tapped Order")
    expect(chat.page.locator("#window")).to_contain_text("Window open")


def test_every_kind_of_content_shows(chat: ChatPage) -> None:
    template = "template"
    feedback = {
        "template_type": "customer_feedback",
        "title": "How was it?",
        "feedback_screens": [{"questions": [{"id": "q", "type": "csat", "title": "How glad are you?"}]}],
        "business_privacy": {"url": "https://shop.example/privacy"},
    }
    receipt = {
        "template_type": "receipt",
        "recipient_name": "Ada",
        "order_number": "1000",
        "currency": "EUR",
        "payment_method": "Visa",
        "elements": [{"title": "Boots", "quantity": 2, "price": 60.5}],
        "summary": {"total_cost": 121},
    }
    button = {"type": "postback", "title": "Go on", "payload": "GO"}
    shown = [
        ("image", {"url": picture(chat.client)}, "img", "Picture"),
        ("audio", {"url": "http://127.0.0.1:9/a.mp3"}, "audio", None),
        ("video", {"url": "http://127.0.0.1:9/a.mp4"}, "video", None),
        ("file", {"url": "https://shop.example/Invoice%201.pdf"}, "a.file", "Invoice 1.pdf"),
        (template, {"template_type": "button", "text": "What next?", "buttons": [button]}, "button", "Go on"),
        (template, receipt, "tfoot .total td", "€121.00"),
        (template, {"template_type": "coupon", "title": "Ten off", "coupon_code": "TEN"}, ".coupon-code", "TEN"),
        (template, {"template_type": "product", "elements": [{"id": "77"}]}, ".card-title", "Product 77"),
        (template, feedback, ".question", "How glad are you?"),
        (template, {"template_type": "one_time_notif_req", "title": "News?", "payload": "N"}, "button", "Allow"),
    ]
    chat.open()
    for kind, payload, selector, text in shown:
        chat.send({"attachment": {"type": kind, "payload": payload}})
        last = chat.messages.last.locator(f".bubbles {selector}").first
        expect(last).to_be_visible()
        if text is not None and selector != "img":
            expect(last).to_contain_text(text)
    expect(chat.messages).to_have_count(len(shown))


def test_nothing_in_a_message_becomes_markup_or_a_script(chat: ChatPage, client: Client) -> None:
    evil = "<script>window.taken = 1</script><img src=x onerror='window.taken = 2'>"
    client.control("POST", "people", {"page": PAGE, "recipient": PERSON, "name": evil})
    chat.open()
    card = {
        "title": evil[:80],
        "subtitle": "<b>bold</b>",
        "buttons": [{"type": "postback", "title": "<i>x</i>", "payload": evil}],
    }
    chat.send({"attachment": {"type": "template", "payload": {"template_type": "generic", "elements": [card]}}})
    chat.send({"text": evil + " javascript:alert(1)", "quick_replies": [{"content_type": "text", "title": "<u>y</u>"}]})
    expect(chat.messages.last).to_contain_text(evil)
    expect(chat.page.get_by_role("heading", name=evil)).to_be_visible()
    chat.messages.first.get_by_role("button", name="<i>x</i>").click()
    expect(chat.log.locator(".deed")).to_contain_text(evil)
    chat.page.get_by_role("button", name="<u>y</u>").click()
    expect(chat.messages).to_have_count(3)
    chat.tab("Calls").locator("summary").first.click()
    expect(chat.page.locator(".call[open] pre").first).to_contain_text("<script>")
    assert chat.page.evaluate("window.taken") is None
    made = "b:has(b), i, u, img[src='x'], a[href^='javascript'], body script"
    assert chat.page.locator(f"#log :is({made}), .side :is({made}), #people :is({made})").count() == 0


def test_a_fault_that_is_ordered_shows_as_a_refused_call(chat: ChatPage) -> None:
    chat.open()
    faults = chat.tab("Faults")
    faults.get_by_role("button", name="Blocked by the person").click()
    expect(faults.get_by_role("list", name="Faults in force")).to_contain_text("struck 0 of 1 times")
    answer = chat.client.call(recipient={"id": PERSON}, message={"text": "into the void"})
    assert answer.error == (551, None)
    expect(faults.get_by_role("list", name="Faults in force")).to_contain_text("struck 1 of 1 times")
    call = chat.tab("Calls").get_by_role("listitem").first
    expect(call).to_contain_text("551")
    call.locator("summary").click()
    expect(call).to_contain_text("Took effect")
    expect(call.locator("pre").first).to_contain_text("into the void")
    expect(call.locator("pre").last).to_contain_text("This person isn't available right now.")
    expect(chat.messages).to_have_count(0)


def test_any_fault_can_be_ordered_for_anybody_and_lifted(chat: ChatPage) -> None:
    chat.open()
    faults = chat.tab("Faults")
    faults.get_by_text("Any other fault").click()
    faults.get_by_label("For whom").select_option("Everybody")
    faults.get_by_label("One in every").fill("2")
    faults.get_by_label("At most times").fill("0")
    faults.get_by_label("What happens").select_option("A Graph error")
    faults.get_by_role("combobox", name="Error", exact=True).select_option(value="613/2018338")
    faults.get_by_role("button", name="Order this fault").click()
    expect(faults.get_by_role("list", name="Faults in force")).to_contain_text("Error 613/2018338")
    (rule,) = chat.client.control("GET", "rules")["rules"]
    assert (rule["every"], rule["times"], rule["match"]["recipient"]) == (2, None, None)
    assert (rule["fault"]["code"], rule["fault"]["subcode"], rule["fault"]["delivered"]) == (613, 2018338, False)
    faults.get_by_role("button", name="Lift fault 1").click()
    expect(faults).to_contain_text("every call gets its right answer")
    assert chat.client.control("GET", "rules") == {"rules": []}


def test_calls_can_be_those_of_one_person(chat: ChatPage) -> None:
    chat.open()
    chat.send({"text": "to the one"})
    chat.send({"text": "to the other"}, person="7002")
    calls = chat.tab("Calls")
    expect(calls.get_by_role("listitem")).to_have_count(2)
    calls.get_by_label("Only this person").check()
    expect(calls.get_by_role("listitem")).to_have_count(1)
    chat.act("typing_on")
    expect(calls.get_by_role("listitem")).to_have_count(2)
    calls.get_by_label("Which steps").select_option("Messages only")
    expect(calls.get_by_role("listitem")).to_have_count(1)


def test_the_window_closes_by_the_sandbox_s_clock(chat: ChatPage) -> None:
    chat.open()
    chat.box.fill("hi")
    chat.page.get_by_role("button", name="Send", exact=True).click()
    expect(chat.page.locator("#window")).to_contain_text("Window open")
    settings = chat.tab("Settings")
    settings.get_by_label("Refuse messages outside the window").check()
    settings.get_by_role("button", name="+ 24 h").click()
    expect(chat.page.locator("#window")).to_have_text("Window closed")
    refused = chat.client.call(recipient={"id": PERSON}, message={"text": "too late"})
    assert refused.error == (10, 2018278)
    expect(chat.tab("Calls").get_by_role("listitem").first).to_contain_text("10/2018278")


def test_the_person_reacts_answers_and_reads(chat: ChatPage, app: Receiver) -> None:
    chat.open()
    mid = chat.send({"text": "hello"})["message_id"]
    bubble = chat.messages.filter(has_text="hello")
    bubble.hover()
    bubble.get_by_label("React", exact=True).click()
    bubble.get_by_role("button", name="React ❤️").click()
    expect(bubble.get_by_role("img", name="You: ❤️")).to_be_visible()
    assert app.wait_for(1)[0].event["reaction"]["mid"] == mid
    bubble.get_by_role("button", name="Answer this message").click()
    chat.box.fill("hello yourself")
    chat.box.press("Enter")
    expect(chat.messages.last).to_contain_text("In answer to: hello")
    assert app.wait_for(2)[1].event["message"]["reply_to"] == {"mid": mid}
    chat.page.get_by_label("What else the person may do").click()
    chat.page.get_by_role("button", name="Read all").click()
    expect(bubble.locator(".mark")).to_have_text("Seen")


def test_people_are_found_and_a_new_one_is_met(chat: ChatPage) -> None:
    chat.send({"text": "hello"}, person="7002")
    chat.client.control("POST", "people", {"page": PAGE, "recipient": "7002", "name": "Grace"})
    chat.client.call(recipient={"user_ref": "r-1"}, message={"text": "to whom?"})
    chat.page.goto(f"http://127.0.0.1:{chat.client.port}/sandbox")
    people = chat.page.get_by_role("navigation", name="Conversations")
    expect(people.get_by_role("button").filter(has_text="Grace")).to_contain_text("hello")
    people.get_by_role("button").filter(has_text="user ref r-1").click()
    expect(chat.messages).to_contain_text("to whom?")
    expect(chat.page.get_by_role("textbox", name="Write as")).to_be_disabled()
    people.get_by_role("searchbox").fill("gra")
    expect(people.get_by_role("listitem")).to_have_count(1)
    people.get_by_role("searchbox").fill("424242")
    people.get_by_role("searchbox").press("Enter")
    expect(chat.box).to_be_enabled()
    chat.box.fill("first!")
    chat.box.press("Enter")
    expect(chat.messages).to_contain_text("first!")


def test_instagram_has_its_own_conversations(chat: ChatPage) -> None:
    chat.open()
    sent = chat.client.call(token=INSTAGRAM_TOKEN, recipient={"id": "900"}, message={"text": "from Instagram"})
    assert sent.status == 200
    people = chat.page.get_by_role("navigation", name="Conversations")
    people.get_by_label("Page").select_option(INSTAGRAM)
    people.get_by_role("button").filter(has_text="from Instagram").click()
    expect(chat.messages).to_contain_text("from Instagram")
    expect(chat.page.locator("body")).to_have_attribute("data-platform", "instagram")


def test_all_who_watch_see_the_same_and_a_reset_at_once(chat: ChatPage, context: BrowserContext) -> None:
    other = ChatPage(context.new_page(), chat.client)
    chat.open()
    other.open()
    chat.send({"text": "hello both"})
    for one in (chat, other):
        expect(one.messages).to_contain_text("hello both")
    settings = other.tab("Settings")
    settings.get_by_role("button", name="Reset the sandbox").click()
    other.page.get_by_role("dialog").get_by_role("button", name="Reset").click()
    for one in (chat, other):
        expect(one.messages).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_one_part_shows_at_a_time_and_nothing_is_cut_off(
    chat: ChatPage, scheme: str, tmp_path: Path
) -> None:
    chat.page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    chat.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    chat.send({"text": "a-word-without-an-end" * 40})
    long = [{"title": f"Card {number}", "subtitle": "x" * 80} for number in range(4)]
    chat.send({"attachment": {"type": "template", "payload": {"template_type": "generic", "elements": long}}})
    chat.page.goto(f"http://127.0.0.1:{chat.client.port}/sandbox/")
    people = chat.page.get_by_role("navigation", name="Conversations")
    people.get_by_role("button").filter(has_text="Person 7001").click()
    expect(chat.log).to_be_visible()
    expect(people).to_be_hidden()
    expect(chat.messages).to_have_count(2)
    assert overflow(chat.page) == 0
    chat.page.get_by_role("button", name="Calls and faults").click()
    for tab in ("Webhooks", "Faults", "Settings", "Calls"):
        expect(chat.tab(tab)).to_be_visible()
        assert overflow(chat.page) == 0
    chat.page.get_by_role("button", name="People").click()
    expect(people).to_be_visible()
    assert len(chat.page.screenshot(path=tmp_path / "phone.png")) > 5000


def test_the_page_is_usable_by_keyboard_and_named_for_a_screen_reader(chat: ChatPage) -> None:
    chat.send({"text": "hello"})
    chat.open()
    expect(chat.log).to_have_attribute("aria-live", "polite")
    chat.page.keyboard.press("Tab")
    expect(chat.page.get_by_role("link", name="Skip to the chat")).to_be_focused()
    chat.page.keyboard.press("Enter")
    expect(chat.box).to_be_focused()
    expect(chat.messages).to_have_count(1)
    chat.page.get_by_role("tab", name="Calls").focus()
    chat.page.keyboard.press("ArrowRight")
    expect(chat.page.get_by_role("tab", name="Webhooks")).to_be_focused()
    expect(chat.page.get_by_role("tabpanel", name="Webhooks")).to_be_visible()
    for tab in ("Calls", "Faults", "Settings"):
        chat.tab(tab)
        nameless = chat.page.evaluate(NAMELESS)
        assert nameless == [], json.dumps(nameless)


# What can be used but has no name: neither text nor label.
NAMELESS = """[...document.querySelectorAll('button, a[href], input, select, textarea, summary')]
  .filter((one) => one.checkVisibility())
  .filter((one) => !(one.textContent.trim() || one.getAttribute('aria-label') || one.labels?.length))
  .map((one) => one.outerHTML)"""
