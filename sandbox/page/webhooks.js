// The webhooks that the sandbox sends, and what became of each.

import { Kept, byId, make, opening } from "./element.js";
import { moment } from "./clock.js";

const FATES = { waiting: "waiting", taken: "taken", lost: "lost", dropped: "dropped to order" };
const LOOKS = { waiting: "open", taken: "good", lost: "bad", dropped: "refused" };

export class Webhooks {
  constructor(feed) {
    this.feed = feed;
    this.where = make("p", { class: "count-line" });
    const list = make("ol", { class: "calls", reversed: true });
    this.list = new Kept(list);
    byId("panel-webhooks").append(this.where, list);
    feed.listeners.push((part) => (part.whole || part.webhooks.length || part.subscription) && this.show());
  }

  show() {
    const { url, subscribed } = this.feed.settings.subscription;
    this.where.textContent = !url ? "No app takes webhooks. Give its address in Settings." : subscribed ? `Webhooks go to ${url}` : `${url} failed for an hour and gets no more webhooks`;
    const open = new Set([...this.list.kept].filter(([, { element }]) => element.querySelector("details")?.open).map(([key]) => key));
    const rows = [...this.feed.webhooks.values()].sort((one, other) => other.number - one.number);
    this.list.show(rows.map((webhook) => [webhook.number, webhook, (value) => row(value, open.has(value.number))]));
  }
}

function row(webhook, open) {
  const last = webhook.attempts.at(-1);
  const tries = webhook.attempts.length > 1 ? ` · try ${webhook.attempts.length}` : "";
  return make("li", {},
    opening({ class: "call", open, data: { look: LOOKS[webhook.fate] } },
      make("summary", {},
        make("time", { text: last ? moment(last.at) : "" }),
        make("span", { class: "step", text: webhook.kind }),
        make("span", { class: "to", text: FATES[webhook.fate] }),
        make("span", { class: "status", text: `${last?.status ?? (last?.problem ? "no answer" : "")}${tries}` })),
      () => [
        last?.problem ? make("p", { class: "count-line", text: last.problem }) : null,
        make("pre", { text: JSON.stringify(JSON.parse(webhook.body), null, 2), tabindex: "0" }),
      ]));
}
