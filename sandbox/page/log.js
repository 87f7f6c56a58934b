// The open chat: who it is with, what was written, the dots while the page types.

import { Kept, button, byId, make } from "./element.js";
import { dayOf, now, span } from "./clock.js";
import { bubble, deedLine } from "./bubble.js";
import { calm } from "./boxes.js";
import { face, nameOf } from "./people.js";
import { sign } from "./signs.js";

const NEAR = 120; // pixels from the end within which the log follows what comes

export class Log {
  constructor(feed, act) {
    this.feed = feed;
    this.act = act;
    this.element = byId("log");
    this.kept = new Kept(this.element);
    this.newer = byId("newer");
    this.newer.addEventListener("click", () => this.toEnd());
    this.element.addEventListener("scroll", () => this.near() && (this.newer.hidden = true), { passive: true });
    // Pictures come late and push the end away.
    this.element.addEventListener("load", () => this.follow && this.toEnd(), true);
    feed.listeners.push((part) => (part.chat || part.chats || part.whole) && this.show());
  }

  /** Show a chat that was just chosen, from its end, once it is there; or that none is. */
  open(chosen) {
    this.chosen = chosen;
    this.kept.show([]);
    this.follow = true;
    this.show();
  }

  near() {
    const { scrollTop, clientHeight, scrollHeight } = this.element;
    this.follow = scrollHeight - scrollTop - clientHeight < NEAR;
    return this.follow;
  }

  toEnd() {
    this.element.scrollTo({ top: this.element.scrollHeight, behavior: calm() ? "auto" : "smooth" });
    this.newer.hidden = true;
  }

  show() {
    const chat = this.feed.chat;
    this.head(chat);
    if (!chat) {
      this.kept.show(this.chosen ? [] : [["none", null, () => make("div", { class: "empty" }, sign("chat"), make("p", { text: "Choose a person to see what they see." }))]]);
      return;
    }
    const near = this.near();
    const before = this.kept.kept.size;
    this.kept.show(this.rows(chat));
    this.dots(chat);
    if (this.kept.kept.size === before) return;
    if (near || !before) requestAnimationFrame(() => (before ? this.toEnd() : (this.element.scrollTop = this.element.scrollHeight)));
    else this.newer.hidden = false;
  }

  /** Messages and deeds in the order of time, with the days between them. */
  rows(chat) {
    const all = [
      ...chat.messages.map((message) => [message.at, `m ${message.id}`, message, (value) => bubble(value, chat, this.act)]),
      ...chat.deeds.filter((deed) => deed.kind !== "reaction").map((deed, place) => [deed.at, `d ${deed.at} ${place}`, deed, deedLine]),
    ].sort((one, other) => one[0] - other[0]);
    const rows = [];
    if (chat.earlier > 0) rows.push(["earlier", chat.earlier, (count) => make("p", { class: "deed", text: `${count} earlier messages are not shown` })]);
    if (!all.length) rows.push(["empty", nameOf(chat), (name) => make("div", { class: "empty" }, face(name, chat.person), make("p", { text: `Nothing was written between the page and ${name} yet.` }))]);
    let day = "";
    let author = null;
    for (const [at, key, value, draw] of all) {
      if (dayOf(at) !== day) {
        day = dayOf(at);
        rows.push([`day ${day}`, day, (text) => make("p", { class: "day", text })]);
        author = null;
      }
      const next = "from_page" in value ? value.from_page : null;
      const follows = next !== null && next === author;
      rows.push([key, { ...value, follows, seen: this.seen(chat, value) }, (one) => {
        const element = draw(one);
        element.classList.toggle("follows", follows);
        if (one.seen) element.querySelector(".under")?.append(make("span", { class: "seen", text: "Seen by the page" }));
        return element;
      }]);
      author = next;
    }
    return rows;
  }

  /** Whether the page's last mark_seen came after this, the last message of the person. */
  seen(chat, message) {
    if (message.from_page !== false || !chat.seen_at || message.at > chat.seen_at) return false;
    return chat.messages.findLast((one) => !one.from_page)?.id === message.id;
  }

  /** The dots show while the page types: until it writes, says so, or 20 s are over. */
  dots(chat) {
    clearTimeout(this.expiry);
    const left = (chat.typing_until ?? 0) - now();
    const shown = this.element.querySelector(".typing");
    byId("chat-state")?.toggleAttribute("data-typing", left > 0);
    if (left <= 0) {
      shown?.remove();
      return;
    }
    const near = this.near();
    const dots = shown ?? make("div", { class: "typing", "aria-label": "The page is typing", role: "img" }, make("span"), make("span"), make("span"));
    if (this.element.lastChild !== dots) this.element.append(dots);
    if (near && !shown) requestAnimationFrame(() => this.toEnd());
    this.expiry = setTimeout(() => this.dots(this.feed.chat ?? chat), left * 1000 + 20);
  }

  head(chat) {
    const head = byId("chat-head");
    const print = chat && JSON.stringify([chat.page, chat.person, chat.name]);
    if (print === this.headShown) return this.tick();
    this.headShown = print;
    if (!chat) return head.replaceChildren(make("h2", { text: "Chat" }));
    const name = nameOf(chat);
    head.replaceChildren(
      button("‹", () => this.act.pane("people"), { class: "back-to-people", "aria-label": "Back to the people" }),
      face(name, chat.person),
      make("div", { class: "chat-who" },
        make("h2", { text: name }),
        make("p", { id: "chat-state" }, make("span", { class: "who-id", text: chat.person }), make("span", { class: "who-typing", text: "typing …" }))),
      make("p", { class: "window", id: "window" }));
    this.tick();
  }

  /** The window, by the sandbox's clock. */
  tick() {
    const place = byId("window");
    const chat = this.feed.chat;
    if (!place || !chat) return;
    const { closes_at: closes, enforced } = chat.window;
    const left = closes === null ? 0 : closes - now();
    const state = closes === null ? "unknown" : left > 0 ? "open" : "closed";
    const text = { unknown: "No window yet", open: `Window open · ${span(left)}`, closed: enforced ? "Window closed" : "Window closed · not enforced" }[state];
    place.dataset.state = state;
    place.title = enforced ? "Messages outside the window are refused" : "The window is not enforced: everything passes (Settings)";
    place.dataset.enforced = enforced ? "yes" : "no";
    if (place.textContent !== text) place.textContent = text;
  }
}
