// One message in the chat, with its marks, its reactions and what can be done with it.

import { button, drawing, make } from "./element.js";
import { full, hour } from "./clock.js";
import { inShort, partsOf } from "./content.js";

const EMOJI = { like: "👍", love: "❤️", haha: "😆", wow: "😮", sad: "😢", angry: "😠", dislike: "👎", other: "❔" };
const CHOICE = ["❤️", "😆", "😮", "😢", "😠", "👍"];
const MARKS = { sent: "Sent", delivered: "Delivered", read: "Seen" };

/** The element of a message. `chat` tells what a message answers, and whether the page has seen the person's. */
export function bubble(message, chat, act) {
  const mine = !message.from_page;
  const parts = partsOf(message.content, act);
  const label = `${mine ? "You" : "Page"}, ${hour(message.at)}`;
  return make("article", { class: "message", "aria-label": label, data: { from: mine ? "person" : "page", id: message.id } },
    quote(message, chat),
    make("div", { class: "row" },
      make("div", { class: "bubbles", title: full(message.at) },
        parts.map(({ element, plain }) => make("div", { class: plain ? "bubble" : "bubble bare" }, element)),
        reactions(message)),
      message.id ? tools(message, act) : null),
    make("p", { class: "under" },
      message.from_page && message.app_id === null ? make("span", { class: "by", text: "from the inbox" }) : null,
      message.content.quick_reply ? make("span", { class: "by", text: "quick reply" }) : null,
      make("time", { text: hour(message.at) }),
      message.from_page ? mark(message.mark) : null));
}

/** A line for what the person did other than writing. */
export function deedLine(deed) {
  const said = {
    postback: () => ["Tapped ", make("b", { text: deed.title }), make("code", { text: deed.payload })],
    referral: () => ["Came by a link ", make("code", { text: deed.ref })],
    reaction: () => [deed.action === "react" ? `Reacted ${deed.emoji}` : "Took a reaction back"],
    notification_optin: () => ["Allowed ", make("b", { text: deed.title })],
  }[deed.kind];
  return make("p", { class: "deed" }, ...(said ? said() : [deed.kind]), make("time", { text: hour(deed.at) }));
}

function mark(kind) {
  return make("span", { class: "mark", data: { mark: kind }, title: MARKS[kind] },
    kind === "sent" ? drawing("M5 12.500 10 17 19 7") : drawing("M2 12.500 7 17 16 7", "M10.500 15.500 12 17 21 7"),
    make("span", { class: "hidden", text: MARKS[kind] }));
}

function quote(message, chat) {
  if (!message.reply_to) return null;
  const answered = chat.messages.find((one) => one.id === message.reply_to);
  return make("p", { class: "quote" }, make("span", { class: "hidden", text: "In answer to: " }), answered ? inShort(answered.content) : "an earlier message");
}

function reactions(message) {
  const shown = Object.entries(message.reactions);
  if (!shown.length) return null;
  return make("div", { class: "reactions" }, shown.map(([who, name]) => make("span", { title: who === "page" ? "The page" : "You", role: "img", "aria-label": `${who === "page" ? "The page" : "You"}: ${name}`, text: EMOJI[name] ?? name })));
}

function tools(message, act) {
  const answer = button("", () => act.answer(message), { class: "tool", "aria-label": "Answer this message", title: "Answer" });
  answer.append(drawing("M10 8V4l-7 7 7 7v-4c5 0 8.500 1.500 11 5-1-6-4-11-11-11Z"));
  if (!message.from_page) return make("div", { class: "tools" }, answer);
  const mine = message.reactions.person;
  const menu = make("details", { class: "react" },
    make("summary", { class: "tool", "aria-label": "React", title: "React" }, drawing("M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", "M8.500 10h.01M15.500 10h.01", "M8 14c1 1.600 2.300 2.400 4 2.400s3-.8 4-2.400")),
    make("div", { class: "react-list" }, CHOICE.map((emoji) => button(emoji, () => act.react(message, emoji), { "aria-label": `React ${emoji}`, "aria-pressed": mine === emoji ? "true" : "false" }))));
  return make("div", { class: "tools" }, menu, answer);
}
