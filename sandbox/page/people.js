// The list of conversations of a page, and the way to a new person.

import { Kept, byId, make } from "./element.js";
import { hour, now } from "./clock.js";
import { tell } from "./control.js";
import { inShort } from "./content.js";

/** What a person is called: by name, by id, or by what else the page knows them by. */
export function nameOf(chat) {
  if (chat.name) return chat.name;
  const [kind, ...rest] = chat.person.split(":");
  return rest.length ? `${kind.replace("_", " ")} ${rest.join(":")}` : `Person ${chat.person.slice(-6)}`;
}

/** A round picture of somebody: initials on a colour of their own. */
export function face(label, key) {
  const initials = label.replace(/^Person /, "").split(/\s+/).map((word) => [...word][0]).slice(0, 2).join("");
  const drawn = make("span", { class: "face", "aria-hidden": "true", text: initials.toUpperCase() });
  let mixed = 7;
  for (const letter of label + key) mixed = (mixed * 31 + letter.codePointAt(0)) % 65521;
  drawn.style.setProperty("--hue", (mixed * 137) % 360);
  return drawn;
}

export class People {
  constructor(feed, choose) {
    this.feed = feed;
    this.choose = choose;
    this.list = new Kept(byId("people"));
    this.seen = new Map();
    this.find = byId("find-text");
    this.find.addEventListener("input", () => this.show());
    byId("find").addEventListener("submit", (event) => this.found(event));
    byId("page").addEventListener("change", (event) => this.choose(event.target.value, null));
    feed.listeners.push(() => this.show());
  }

  /** The chats of the page, the latest first, as far as they fit what is looked for. */
  chats() {
    const wanted = this.find.value.trim().toLowerCase();
    return [...this.feed.chats.values()]
      .filter((chat) => chat.page === this.page)
      .filter((chat) => `${chat.name ?? ""} ${chat.person}`.toLowerCase().includes(wanted))
      .sort((one, other) => other.last_at - one.last_at || one.person.localeCompare(other.person));
  }

  open(page, person) {
    this.page = page;
    this.person = person;
    this.show();
  }

  show() {
    this.showPages();
    const chats = this.chats();
    const ends = chats.map((chat) => chat.typing_until).filter((until) => until > now());
    clearTimeout(this.expiry);
    if (ends.length) this.expiry = setTimeout(() => this.show(), (Math.min(...ends) - now()) * 1000 + 20);
    const rows = chats.map((chat) => {
      const key = `${chat.page}/${chat.person}`;
      const open = chat.person === this.person;
      if (open || !this.seen.has(key)) this.seen.set(key, chat.count);
      return [key, { ...chat, open, typing: chat.typing_until > now(), unread: chat.count - this.seen.get(key) }, (value) => this.row(value)];
    });
    const wanted = this.find.value.trim();
    if (/^\d{1,64}$/.test(wanted) && !rows.some(([, chat]) => chat.person === wanted)) {
      rows.push(["new", wanted, (id) => this.newRow(id)]);
    }
    if (!rows.length) rows.push(["none", wanted, (text) => make("li", { class: "nobody", text: text ? `Nobody here is called “${text}”.` : "Nobody yet. Send to somebody, or type an id above to be the first to write." })]);
    this.list.show(rows);
  }

  showPages() {
    const pages = this.feed.settings.pages;
    const select = byId("page");
    const print = JSON.stringify(pages.map(({ id, platform }) => [id, platform]));
    if (print !== this.pagesShown) {
      this.pagesShown = print;
      select.replaceChildren(...pages.map(({ id, platform }) => make("option", { value: id, text: `${id} · ${platform === "instagram" ? "Instagram" : "Messenger"}` })));
    }
    if (this.page) select.value = this.page;
  }

  row(chat) {
    const name = nameOf(chat);
    const preview = chat.typing ? "typing …" : chat.last ? `${chat.last.from_page ? "" : "You: "}${inShort(chat.last.content)}` : "Nothing written yet";
    return make("li", {},
      make("button", { type: "button", class: "person", "aria-current": chat.open ? "true" : null, on: { click: () => this.choose(chat.page, chat.person) } },
        face(name, chat.person),
        make("span", { class: "person-text" },
          make("span", { class: "person-name", text: name }),
          make("span", { class: "person-last", text: preview })),
        make("span", { class: "person-side" },
          chat.last_at ? make("time", { text: hour(chat.last_at) }) : null,
          chat.unread > 0 ? make("span", { class: "unread", "aria-label": `${chat.unread} new`, text: chat.unread }) : null)));
  }

  newRow(id) {
    return make("li", {},
      make("button", { type: "button", class: "person new", on: { click: () => this.meet(id) } },
        make("span", { class: "face plus", "aria-hidden": "true", text: "+" }),
        make("span", { class: "person-text" },
          make("span", { class: "person-name", text: `New person ${id}` }),
          make("span", { class: "person-last", text: "Open a chat and write to the page" }))));
  }

  async found(event) {
    event.preventDefault();
    const [first] = this.chats();
    const wanted = this.find.value.trim();
    if (first && wanted) this.choose(first.page, first.person);
    else if (/^\d{1,64}$/.test(wanted)) await this.meet(wanted);
  }

  async meet(id) {
    if (!(await tell("POST", "people", { page: this.page, recipient: id }))) return;
    this.find.value = "";
    this.choose(this.page, id);
  }
}
