// Writing as the person, and what else a person may do: all of it reaches the app by webhooks.

import { button, byId, drawing, make, rowsOf, asText } from "./element.js";
import { tell } from "./control.js";
import { inShort } from "./content.js";
import { nameOf } from "./people.js";

export class Composer {
  constructor(feed) {
    this.feed = feed;
    this.answered = null;
    this.text = byId("write");
    byId("send").append(drawing("M3 20.500 21.500 12 3 3.500v6.600L15 12 3 13.900Z"));
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.write(this.text.value);
    });
    this.text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.write(this.text.value);
    });
    this.text.addEventListener("input", () => this.ready());
    byId("deeds-list").append(
      button("Read all", () => this.read()),
      button("Tap “Get started”", () => this.postback("Get started", "GET_STARTED")),
      button("Come by an m.me link", () => this.happen({ kind: "referral" })));
    feed.listeners.push((part) => (part.chat || part.whole) && this.show());
  }

  /** Who writes to whom; null where the person can only be written to. */
  get who() {
    const chat = this.feed.chat;
    return chat && !chat.person.includes(":") ? { page: chat.page, recipient: chat.person } : null;
  }

  open() {
    this.answer(null);
    this.text.value = "";
    this.show();
  }

  ready() {
    byId("send").disabled = !this.who || !this.text.value.trim();
  }

  show() {
    const chat = this.feed.chat;
    this.text.disabled = !this.who;
    byId("deeds").toggleAttribute("inert", !this.who);
    const name = chat ? nameOf(chat) : "";
    this.text.placeholder = this.who ? `Write as ${name}` : chat ? "Nobody knows who this is: they cannot write" : "Choose a person first";
    byId("write-label").textContent = this.who ? `Write as ${name}` : "Write as the person";
    this.ready();
    this.quickReplies(chat);
  }

  /** Quick replies stand under the page's last message, until somebody writes again. */
  quickReplies(chat) {
    const last = chat?.messages.at(-1);
    const given = last?.from_page ? rowsOf(last.content.quick_replies) : [];
    const print = JSON.stringify([last?.id, given]);
    if (print === this.quickShown) return;
    this.quickShown = print;
    const titles = { user_phone_number: "Share my phone number", user_email: "Share my e-mail address" };
    byId("quick").replaceChildren(...given.map((reply) => {
      const title = asText(reply.title) || titles[reply.content_type] || "?";
      return button(title, () => this.write(title, asText(reply.payload) || title));
    }));
  }

  async write(text, payload = null) {
    if (!this.who || !text.trim()) return;
    const written = { ...this.who, from: "person", text: text.trim() };
    if (payload !== null) written.quick_reply = payload;
    if (this.answered) written.reply_to = this.answered.id;
    if (!(await tell("POST", "messages", written))) return;
    if (payload === null) this.text.value = "";
    this.answer(null);
    this.ready();
    this.text.focus();
  }

  /** The next text answers this message. */
  answer(message) {
    this.answered = message;
    const place = byId("answering");
    place.hidden = !message;
    place.replaceChildren(...(message ? [make("span", { text: `Answering: ${inShort(message.content)}` }), button("×", () => this.answer(null), { "aria-label": "Answer nothing" })] : []));
    if (message) this.text.focus();
  }

  happen(deed) {
    byId("deeds").open = false;
    return this.who ? tell("POST", "happenings", { ...this.who, ...deed }) : null;
  }

  read() {
    return this.happen({ kind: "read" });
  }

  postback(title, payload) {
    return this.happen({ kind: "postback", title, payload });
  }

  optIn(token, title, payload) {
    return this.happen({ kind: "notification_optin", token, title, payload });
  }

  react(message, emoji) {
    const action = message.reactions.person === emoji ? "unreact" : "react";
    const names = { "❤️": "love", "😆": "haha", "😮": "wow", "😢": "sad", "😠": "angry", "👍": "like" };
    return this.happen({ kind: "reaction", message_id: message.id, emoji, reaction: names[emoji] ?? "other", action });
  }
}
