"""The console in a real browser: a real queue, worker and scheduler, with the sandbox in place of Meta."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from envoi.log import queries
from envoi.states import State
from tests.acceptance.ledger import deliveries
from tests.browser.conftest import PATIENCE_MS, PHONE, overflow
from tests.browser.operating import OTHER_PAGE, PASSWORD, Operated, operated
from tests.waiting import wait_until

expect.set_options(timeout=PATIENCE_MS)

# Of the message alone: a refusal of the person would stop a replay that comes within a second.
REFUSED: dict[str, object] = {"kind": "error", "code": 100, "message": "Invalid parameter"}
UNANSWERED: dict[str, object] = {"kind": "hold", "delivered": True}
PATHS = ("/", "/jobs", "/jobs?state=failed", "/jobs?state=unknown", "/pages", "/broadcasts", "/search?q=nothing")


@pytest.fixture(scope="module")
def envoi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """The tests of this module share one, each with people of its own."""
    with operated(tmp_path_factory.mktemp("envoi")) as found:
        yield found


@pytest.fixture(scope="module")
def failed(envoi: Operated) -> str:
    """A job that has failed."""
    job_id = envoi.send("7000000000000100", fault=REFUSED)
    envoi.wait(job_id, State.FAILED)
    return job_id


@pytest.fixture(scope="module")
def unknown(envoi: Operated) -> str:
    """A job of which nobody knows whether it was sent."""
    job_id = envoi.send("7000000000000200", fault=UNANSWERED)
    envoi.wait(job_id, State.UNKNOWN)
    return job_id


def badge(page: Page, state: str) -> None:
    """Wait until the page's job is in a state: it is loaded again, as an operator would."""
    for _ in range(200):
        if page.locator("h1 + .badge").inner_text() == state:
            return
        page.wait_for_timeout(100)
        page.reload()
    raise AssertionError(f"the job is {page.locator('h1 + .badge').inner_text()}, not {state}")


def test_the_password_opens_what_was_asked_for_and_another_does_not(
    envoi: Operated, page: Page, complaints: list[str]
) -> None:
    page.goto(envoi.url + "/pages")
    page.get_by_label("Password").fill("not the password")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the password.")
    assert len([text for text in complaints if "403" in text]) == len(complaints)  # the browser notes the status
    complaints.clear()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Pages")
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_focused()
    page.goto(envoi.url + "/jobs")
    expect(page.get_by_label("Password")).to_be_visible()


def test_a_failed_job_is_found_read_replayed_and_seen_to_be_sent(envoi: Operated, page: Page) -> None:
    person = "7000000000000101"
    job_id = envoi.send(person, fault=REFUSED)
    envoi.wait(job_id, State.FAILED)
    envoi.enter(page, "/jobs?state=failed")
    row = page.get_by_role("row").filter(has_text=job_id)
    expect(row).to_contain_text("100 Invalid parameter")
    page.get_by_role("searchbox").fill(job_id)
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(job_id)
    expect(page.get_by_role("region", name="Calls of this job")).to_contain_text("Refused")
    assert "for your eyes only" not in page.content()
    page.get_by_role("button", name="Show what was written").click()
    expect(page.get_by_text(f"for your eyes only, {person}")).to_be_visible()
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("status").filter(has_text="1 enqueued")).to_be_visible()
    page.get_by_role("link", name=re.compile("see job")).click()
    badge(page, "sent")
    sent = [one for one in deliveries(envoi.stack.sandbox_url) if one.recipient == person and one.step == "message"]
    assert len(sent) == 1
    assert sent[0].job_id == page.url.rpartition("/")[2]


def test_several_chosen_jobs_are_replayed_at_once(envoi: Operated, page: Page) -> None:
    people = ["7000000000000110", "7000000000000111", "7000000000000112"]
    ids = [envoi.send(person, fault=REFUSED) for person in people]
    for job_id in ids:
        envoi.wait(job_id, State.FAILED)
    envoi.enter(page, "/jobs?state=failed")
    for job_id in ids[:2]:
        page.get_by_label(f"Choose job {job_id}").check()
    page.get_by_role("group", name="Do with the chosen jobs").get_by_role("button", name="Replay").click()
    expect(page.get_by_role("status").filter(has_text="2 enqueued")).to_be_visible()
    wait_until(
        lambda: (
            {one.recipient for one in deliveries(envoi.stack.sandbox_url) if one.step == "message"} >= {*people[:2]}
        ),
        "both have got theirs",
    )
    assert people[2] not in {one.recipient for one in deliveries(envoi.stack.sandbox_url) if one.step == "message"}


def test_an_unknown_job_is_resolved_as_sent(envoi: Operated, page: Page) -> None:
    job_id = envoi.send("7000000000000201", fault=UNANSWERED)
    envoi.wait(job_id, State.UNKNOWN)
    envoi.enter(page, f"/jobs/{job_id}")
    page.get_by_label("message id, if you know it").fill("m_told_by_an_operator")
    page.get_by_role("button", name="It was sent").click()
    expect(page.get_by_role("status").filter(has_text="1 sent")).to_be_visible()
    badge(page, "sent")
    envoi.wait(job_id, State.SENT)
    found = queries.job(envoi.engine, job_id)
    assert found is not None
    assert found.message_id == "m_told_by_an_operator"


def test_an_unknown_job_is_discarded_only_after_a_second_look(envoi: Operated, page: Page) -> None:
    job_id = envoi.send("7000000000000202", fault=UNANSWERED)
    envoi.wait(job_id, State.UNKNOWN)
    envoi.enter(page, f"/jobs/{job_id}")
    page.get_by_role("button", name="Discard").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Are you sure?")
    page.get_by_role("link", name="No, go back").click()
    expect(page.get_by_role("button", name="Discard")).to_be_visible()
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="Yes, do it").click()
    expect(page.get_by_role("status").filter(has_text="1 discarded")).to_be_visible()
    expect(page.get_by_role("button", name="Discard")).to_have_count(0)


def test_a_page_is_paused_its_jobs_wait_and_go_on_when_it_is_resumed(envoi: Operated, page: Page) -> None:
    person = "7000000000000300"
    envoi.enter(page, "/pages")
    card = page.locator(f"#page-{envoi.stack.page}")
    card.get_by_label(f"Why page {envoi.stack.page} is paused").fill("a sale went wrong")
    card.get_by_role("button", name="Pause").click()
    expect(card).to_contain_text("a sale went wrong")
    expect(card.locator(".badge")).to_have_text("paused")
    job_id = envoi.send(person)
    page.goto(envoi.url)
    expect(page.get_by_role("heading", name="Pages that do not send")).to_be_visible()
    expect(page.get_by_role("region", name="What waits, by page and lane")).to_contain_text(envoi.stack.page)
    page.goto(f"{envoi.url}/jobs/{job_id}")
    badge(page, "queued")
    page.goto(f"{envoi.url}/pages")
    card.get_by_role("button", name="Resume").click()
    expect(card.locator(".badge")).to_have_text("sends")
    envoi.wait(job_id, State.SENT)


def test_a_conversation_is_held_and_released_and_its_timeline_tells_each_call(envoi: Operated, page: Page) -> None:
    person = "7000000000000400"
    first = envoi.send(person)
    envoi.wait(first, State.SENT)
    envoi.enter(page, f"/conversation?page={envoi.stack.page}&kind=id&recipient={person}")
    calls = page.get_by_role("region", name=f"Calls of job {first}")
    for step in ("typing_on", "message", "typing_off"):
        expect(calls).to_contain_text(step)
    page.get_by_role("button", name="Hold").click()
    expect(page.get_by_text("until it is released").first).to_be_visible()
    second = envoi.send(person)
    page.reload()
    expect(page.get_by_role("link", name=second).first).to_be_visible()
    page.get_by_role("button", name="Release").click()
    expect(page.get_by_role("button", name="Hold")).to_be_visible()
    envoi.wait(second, State.SENT)
    page.reload()
    page.get_by_role("button", name="Show what was written").click()
    expect(page.get_by_label("What was written").first).to_have_text(f"for your eyes only, {person}")


def test_a_form_of_another_site_changes_nothing(envoi: Operated, page: Page, complaints: list[str]) -> None:
    envoi.enter(page, "/pages")
    # Another port of the same host is another origin, and of the same site: the cookie goes with it.
    other = page.context.new_page()
    other.route(
        "http://127.0.0.1:9/",
        lambda route: route.fulfill(
            content_type="text/html",
            body=f'<title>t</title><form method="post" action="{envoi.url}/pages/act"><input name="act" value="pause">'
            f'<input name="page" value="{OTHER_PAGE}"><button>win a prize</button></form>',
        ),
    )
    other.goto("http://127.0.0.1:9/")
    other.get_by_role("button", name="win a prize").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("Refused")
    assert [text for text in complaints if "403" in text]
    complaints.clear()
    page.reload()
    expect(page.locator(f"#page-{OTHER_PAGE} .badge")).to_have_text("sends")


def test_everything_can_be_done_with_the_keyboard_alone(envoi: Operated, page: Page) -> None:
    job_id = envoi.send("7000000000000500", fault=REFUSED)
    envoi.wait(job_id, State.FAILED)
    page.goto(f"{envoi.url}/jobs/{job_id}")
    page.keyboard.type(PASSWORD)  # the field has the focus
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(job_id)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    replay = page.get_by_role("button", name="Replay")
    expect(replay).to_be_focused()
    outline = (
        "getComputedStyle(document.activeElement).outlineStyle + getComputedStyle(document.activeElement).outlineWidth"
    )
    assert page.evaluate(outline) == "solid3px"
    page.keyboard.press("Enter")
    expect(page.get_by_role("status").filter(has_text="1 enqueued")).to_be_visible()


def test_the_overview_refreshes_itself_and_can_be_told_not_to(envoi: Operated, page: Page) -> None:
    page.clock.install()
    envoi.enter(page)
    sent = page.locator(".tile.sent .figure")
    before = int(sent.inner_text())
    envoi.wait(envoi.send("7000000000000600"), State.SENT)
    for _ in range(100):
        page.clock.run_for(5100)
        page.wait_for_timeout(50)
        if int(sent.inner_text()) > before:
            break
    assert int(sent.inner_text()) > before
    page.get_by_role("button", name="Pause refresh").click()
    expect(page.get_by_role("button", name="Refresh again")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)
    assert asked == []


def test_it_works_without_scripts(envoi: Operated, browser: Browser, failed: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    envoi.enter(page, "/jobs?state=failed")
    page.get_by_label(f"Choose job {failed}").check()
    page.get_by_role("button", name="Discard", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Are you sure?")
    page.get_by_role("link", name="No, go back").click()
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("link", name="Refresh")).to_be_visible()
    context.close()


_FAULTS_OF_PAGE = """() => {
  const wrong = [];
  const named = (one) => (one.getAttribute('aria-label') || one.textContent || '').trim();
  if (!document.documentElement.lang) wrong.push('no language');
  if (!document.title) wrong.push('no title');
  for (const tag of ['h1', 'main', 'header', 'footer']) {
    const count = document.querySelectorAll(tag === 'header' || tag === 'footer' ? `body > ${tag}` : tag).length;
    if (count !== 1) wrong.push(`${count} of ${tag}`);
  }
  for (const one of document.querySelectorAll('input:not([type=hidden]):not([hidden]), select, textarea'))
    if (!one.labels?.length && !one.getAttribute('aria-label')) wrong.push(`no label: ${one.outerHTML}`);
  for (const one of document.querySelectorAll('a[href], button, summary'))
    if (!named(one)) wrong.push(`no name: ${one.outerHTML}`);
  for (const one of document.querySelectorAll('img')) if (!one.hasAttribute('alt')) wrong.push('no alt');
  for (const one of document.querySelectorAll('svg')) if (!one.getAttribute('aria-label')) wrong.push('no name: svg');
  for (const one of document.querySelectorAll('thead th'))
    if (one.getAttribute('scope') !== 'col') wrong.push(`no scope: ${one.outerHTML}`);
  for (const one of document.querySelectorAll('.scroll'))
    if (one.tabIndex !== 0 || !one.getAttribute('aria-label')) wrong.push('a box that scrolls, not for the keyboard');
  const ids = [...document.querySelectorAll('[id]')].map((one) => one.id);
  if (new Set(ids).size !== ids.length) wrong.push('an id twice');
  for (const one of document.querySelectorAll('[aria-labelledby]'))
    if (!document.getElementById(one.getAttribute('aria-labelledby'))) wrong.push(`names nothing: ${one.outerHTML}`);
  let last = 0;
  for (const one of document.querySelectorAll('h1, h2, h3, h4')) {
    const level = Number(one.tagName[1]);
    if (level > last + 1) wrong.push(`a heading of level ${level} below ${last}`);
    last = level;
  }
  if (document.querySelector('[style], style, script:not([src])')) wrong.push('a style or script inside the page');
  return wrong;
}"""

_CONTRASTS = """() => {
  const parsed = (text) => { const n = text.match(/[\\d.]+/g).map(Number); return [n[0], n[1], n[2], n[3] ?? 1]; };
  const light = ([r, g, b]) => [r, g, b].map((v) => (v /= 255, v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const found = parsed(getComputedStyle(one).backgroundColor);
      if (found[3] === 1) return found;
    }
    return [255, 255, 255, 1];
  };
  const wrong = [];
  for (const one of document.querySelectorAll('body *')) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || one.closest('svg') || !one.checkVisibility()) continue;
    const style = getComputedStyle(one);
    const [a, b] = [light(parsed(style.color)), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) wrong.push(`${ratio.toFixed(2)}: ${one.outerHTML.slice(0, 120)}`);
  }
  return wrong;
}"""


def every_page(envoi: Operated, failed: str, unknown: str) -> list[str]:
    where = f"/conversation?page={envoi.stack.page}&kind=id&recipient=7000000000000100"
    return [*PATHS, f"/jobs/{failed}", f"/jobs/{unknown}", where]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_has_labels_headings_landmarks_and_contrast(
    envoi: Operated, page: Page, failed: str, unknown: str, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.goto(envoi.url + "/login")
    assert (page.evaluate(_FAULTS_OF_PAGE), page.evaluate(_CONTRASTS)) == ([], [])
    envoi.enter(page)
    for path in every_page(envoi, failed, unknown):
        page.goto(envoi.url + path)
        expect(page.get_by_role("navigation", name="Main")).to_be_visible()
        assert (path, page.evaluate(_FAULTS_OF_PAGE), page.evaluate(_CONTRASTS)) == (path, [], [])


def test_no_page_scrolls_sideways_on_a_phone(
    envoi: Operated, page: Page, failed: str, unknown: str, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    envoi.enter(page)
    for number, path in enumerate(every_page(envoi, failed, unknown)):
        page.goto(envoi.url + path)
        picture = page.screenshot(path=tmp_path / f"{number}.png", full_page=True)
        assert picture.startswith(b"\x89PNG")
        assert (path, overflow(page)) == (path, 0)
        for button in page.get_by_role("button").all():
            box = button.bounding_box()
            assert box is None or box["height"] >= 24, button.inner_html()  # a finger's least, by WCAG 2.2


def test_words_of_messages_are_in_no_page_that_did_not_ask_for_them(
    envoi: Operated, page: Page, failed: str, unknown: str
) -> None:
    envoi.enter(page)
    for path in every_page(envoi, failed, unknown):
        page.goto(envoi.url + path)
        assert "for your eyes only" not in page.content()
    assert "for your eyes only" not in (envoi.stack.folder / "console.log").read_text()
