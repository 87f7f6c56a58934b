// The raw calls: what each asked, what was answered, and what really happened.

import { Kept, byId, make, opening } from "./element.js";
import { moment } from "./clock.js";
import { nameOf } from "./people.js";

const ENDINGS = { open: "under way", reset: "connection reset", held: "no answer", gone: "client hung up" };
const STEPS = { all: "All steps", message: "Messages only", action: "Sender actions only", read: "Looks in conversations" };

export class Calls {
  constructor(feed, watch) {
    this.feed = feed;
    this.ofPerson = make("input", { type: "checkbox", id: "calls-of-person", on: { change: () => watch() } });
    this.step = make("select", { "aria-label": "Which steps", on: { change: () => this.show() } }, Object.entries(STEPS).map(([value, text]) => make("option", { value, text })));
    this.count = make("p", { class: "count-line" });
    const list = make("ol", { class: "calls", reversed: true });
    this.list = new Kept(list);
    byId("panel-calls").append(
      make("div", { class: "filters" }, make("label", { class: "check" }, this.ofPerson, "Only this person"), this.step),
      this.count, list);
    feed.listeners.push((part) => (part.whole || part.calls.length) && this.show());
  }

  get onlyPerson() {
    return this.ofPerson.checked;
  }

  show() {
    const wanted = this.step.value;
    const rows = [...this.feed.calls.values()]
      .filter((call) => wanted === "all" || call.step === wanted || (wanted === "action" && !["message", "read", "upload", null].includes(call.step)))
      .sort((one, other) => other.number - one.number);
    this.count.textContent = rows.length ? `${rows.length} of ${this.feed.requests} requests since the start, the latest first` : "No calls yet.";
    const open = new Set([...this.list.kept].filter(([, { element }]) => element.querySelector("details")?.open).map(([key]) => key));
    this.list.show(rows.map((call) => [call.number, call, (value) => this.row(value, open.has(value.number))]));
  }

  row(call, open) {
    const took = call.answered_at === null ? null : Math.round((call.answered_at - call.arrived_at) * 1000);
    const [kind = "", key = ""] = Object.entries(call.recipient ?? {})[0] ?? [];
    const who = kind === "id" ? this.name(call.page, String(key)) : kind ? `${kind} ${key}` : call.edge ?? "";
    return make("li", {},
      opening({ class: "call", open, data: { look: look(call), step: call.step ?? "other" } },
        make("summary", {},
          make("time", { text: moment(call.arrived_at) }),
          make("span", { class: "step", text: call.step ?? call.edge ?? call.method }),
          make("span", { class: "to", text: who }),
          make("span", { class: "status", text: status(call) }),
          make("span", { class: "took", text: took === null ? "" : `${took} ms` })),
        () => [
          make("dl", { class: "truth" }, truth(call).map(([name, value]) => [make("dt", { text: name }), make("dd", { text: value })])),
          make("h4", { text: "Request" }), make("pre", { text: JSON.stringify(request(call), null, 2), tabindex: "0" }),
          make("h4", { text: "Answer" }), make("pre", { text: answer(call), tabindex: "0" }),
        ]));
  }

  name(page, person) {
    const chat = this.feed.chats.get(`${page}/${person}`);
    return chat ? nameOf(chat) : person;
  }
}

const request = (call) => ({ ...(call.recipient ? { recipient: call.recipient } : {}), ...call.parameters });

function answer(call) {
  if (call.answer === null) return call.ending === "answered" ? "(no longer kept)" : `(${ENDINGS[call.ending] ?? call.ending})`;
  try {
    return JSON.stringify(JSON.parse(call.answer), null, 2);
  } catch {
    return call.answer;
  }
}

function status(call) {
  if (call.ending !== "answered") return ENDINGS[call.ending] ?? call.ending;
  const code = call.error_code === null ? "" : ` · ${call.error_code}${call.error_subcode === null ? "" : `/${call.error_subcode}`}`;
  return `${call.http_status}${code}`;
}

function look(call) {
  if (call.ending === "open") return "open";
  if (call.ending !== "answered" || call.http_status >= 500) return "bad";
  return call.error_code !== null ? "refused" : "good";
}

/** What a client cannot see: whether the step took effect, and which rule struck. */
function truth(call) {
  const rows = [["Path", `${call.method} /${[call.version, call.page, call.edge].filter(Boolean).join("/")}`]];
  if (call.step !== "read") rows.push(["Took effect", call.delivered ? `yes, as number ${call.delivery}` : "no"]);
  if (call.message_id) rows.push(["Message id", call.message_id]);
  if (call.rule !== null) rows.push(["Fault", `rule ${call.rule}`]);
  rows.push(["Connection", `${call.connection}`]);
  return rows;
}
