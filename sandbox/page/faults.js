// Faults to order: the usual ones at a tap, any other by a form, and those in force.

import { Kept, button, byId, make } from "./element.js";
import { notice, tell } from "./control.js";
import { nameOf } from "./people.js";

// What a fault is called, whether it can deliver first, and whether it takes seconds.
const KINDS = {
  error: "A Graph error",
  reset: "Connection reset, no answer",
  hold: "No answer, ever",
  slow: "The right answer, late",
  bad_gateway: "502 and an HTML page",
  garbage: "200 and broken JSON",
  no_message_id: "200 without a message id",
};
const DELIVERS = new Set(["garbage", "no_message_id"]);
const USUAL = [
  ["Lose the answer", "Delivered, then the connection is reset: the client cannot know", { kind: "reset", delivered: true }],
  ["Try later", "Graph error 2, status 500: not sent", { kind: "error", code: 2, status: 500 }],
  ["Throttle", "Graph error 613: too many calls", { kind: "error", code: 613 }],
  ["Outside the window", "Graph error 10/2018278", { kind: "error", code: 10, subcode: 2018278 }],
  ["Blocked by the person", "Graph error 551", { kind: "error", code: 551 }],
  ["Dead token", "Graph error 190/463: the page is paused", { kind: "error", code: 190, subcode: 463 }],
  ["Slow", "The answer comes 5 s late", { kind: "slow", seconds: 5 }],
  ["Gateway", "502 and an HTML page", { kind: "bad_gateway" }],
];

export class Faults {
  constructor(feed) {
    this.feed = feed;
    const list = make("ul", { class: "rules", "aria-label": "Faults in force" });
    this.list = new Kept(list);
    byId("panel-faults").append(this.form(), make("h3", { text: "In force" }), list);
    this.fields();
    this.errors();
    feed.listeners.push((part) => (part.rules || part.chat || part.chats) && this.show());
  }

  field(name, label, control, given = {}) {
    control.name = name;
    this[name] = control;
    return make("label", { class: "field", ...given }, make("span", { text: label }), control);
  }

  form() {
    const select = (options) => make("select", {}, Object.entries(options).map(([value, text]) => make("option", { value, text })));
    const number = (value, given = {}) => make("input", { type: "number", value: String(value), min: "0", ...given });
    this.own = make("details", { class: "own-fault" },
      make("summary", { text: "Any other fault" }),
      make("form", { on: { submit: (event) => this.order(event) } },
        this.field("kind", "What happens", select(KINDS)),
        this.field("code", "Error", make("select"), { class: "field only-error" }),
        this.field("seconds", "Seconds to wait", number(0, { step: "any" })),
        make("label", { class: "check" }, (this.delivered = make("input", { type: "checkbox" })), "The step takes effect first"),
        make("button", { type: "submit", class: "primary", text: "Order this fault" })));
    this.own.addEventListener("change", () => this.fields());
    return make("div", {},
      make("h3", { text: "Order a fault" }),
      make("div", { class: "field-grid" },
        this.field("whom", "For whom", select({ person: "This person", page: "This page", all: "Everybody" })),
        this.field("step", "Which calls", select({ message: "Messages", action: "Sender actions", typing_on: "typing_on", typing_off: "typing_off", mark_seen: "mark_seen", read: "Looks", upload: "Uploads" })),
        this.field("every", "One in every", number(1, { min: "1" })),
        this.field("times", "At most times", number(1, { min: "0", title: "0: no bound" }))),
      make("p", { class: "count-line", text: "0 times: until it is lifted." }),
      make("div", { class: "usual" }, USUAL.map(([title, more, fault]) => make("button", { type: "button", on: { click: () => this.put(fault) } }, make("b", { text: title }), make("small", { text: more })))),
      this.own);
  }

  /** Show the fields that the chosen kind has. */
  fields() {
    this.code.parentElement.hidden = this.kind.value !== "error";
    if (this.kind.value !== this.lastKind) this.delivered.checked = DELIVERS.has(this.kind.value);
    this.lastKind = this.kind.value;
  }

  async errors() {
    const known = await tell("GET", "errors");
    if (!known) return;
    this.code.replaceChildren(...known.errors.map(({ code, subcode, message }) => {
      const name = subcode === null ? `${code}` : `${code}/${subcode}`;
      return make("option", { value: name, text: `${name} ${message}` });
    }));
    this.code.value = "2";
  }

  match() {
    const chat = this.feed.chat;
    const match = { step: this.step.value };
    if (this.whom.value === "all") return match;
    if (!chat) return this.whom.value === "page" ? { ...match, page: byId("page").value } : null;
    match.page = chat.page;
    if (this.whom.value === "person") match.recipient = chat.person.split(":").slice(chat.person.includes(":") ? 1 : 0).join(":");
    return match;
  }

  order(event) {
    event.preventDefault();
    const [code, subcode] = this.code.value.split("/").map(Number);
    const fault = { kind: this.kind.value, seconds: Number(this.seconds.value) || 0, delivered: this.delivered.checked };
    if (fault.kind === "error") Object.assign(fault, { code }, subcode ? { subcode } : {});
    return this.put(fault);
  }

  async put(fault) {
    const match = this.match();
    if (!match) return notice("Open a chat first, or order it for everybody", "bad");
    const times = Number(this.times.value);
    const ordered = await tell("POST", "rules", { match, fault, every: Number(this.every.value) || 1, times: times > 0 ? times : null });
    if (ordered) notice(`Fault ${ordered.number} is in force`);
  }

  show() {
    const rules = this.feed.settings.rules;
    const left = rules.filter((rule) => rule.times === null || rule.hits < rule.times).length;
    byId("rule-count").hidden = !left;
    byId("rule-count").textContent = left || "";
    const rows = rules.toReversed().map((rule) => [rule.number, { ...rule, name: this.person(rule.match) }, (value) => this.row(value)]);
    this.list.show(rows.length ? rows : [["none", null, () => make("li", { class: "nobody", text: "None: every call gets its right answer." })]]);
  }

  person({ page, recipient }) {
    if (recipient === null) return page === null ? "everybody" : `page ${page}`;
    const chat = [...this.feed.chats.values()].find((one) => one.person === recipient && (page === null || one.page === page));
    return chat ? nameOf(chat) : recipient;
  }

  row(rule) {
    const { fault } = rule;
    const what = fault.kind === "error" ? `Error ${fault.code}${fault.subcode ? `/${fault.subcode}` : ""}` : KINDS[fault.kind];
    const spent = rule.times !== null && rule.hits >= rule.times;
    const often = `${rule.every > 1 ? `one in ${rule.every}, ` : ""}${rule.probability < 1 ? `${Math.round(rule.probability * 100)} %, ` : ""}struck ${rule.hits}${rule.times === null ? "" : ` of ${rule.times}`} times`;
    return make("li", { class: spent ? "rule spent" : "rule" },
      make("div", {},
        make("b", { text: `${rule.number} · ${what}${fault.delivered ? ", after delivery" : ""}${fault.seconds ? `, ${fault.seconds} s` : ""}` }),
        make("small", { text: `${rule.match.step ?? "all calls"} to ${rule.name}: ${often}` })),
      button(spent ? "Clear" : "Lift", () => tell("DELETE", `rules/${rule.number}`), { "aria-label": `Lift fault ${rule.number}` }));
  }
}
