// The sandbox as a whole: its clock, the window, latency, pages, where webhooks go, and a fresh start.

import { Kept, button, byId, make } from "./element.js";
import { full, now, span } from "./clock.js";
import { notice, tell } from "./control.js";

const AHEAD = [["+ 1 min", 60], ["+ 1 h", 3600], ["+ 24 h", 86400], ["+ 7 days", 604800]];

export class World {
  constructor(feed) {
    this.feed = feed;
    this.time = make("p", { class: "big-clock" });
    const pages = make("ul", { class: "rules" });
    this.pages = new Kept(pages);
    byId("panel-world").append(
      make("h3", { text: "Clock" }), this.time,
      make("div", { class: "choices" }, AHEAD.map(([text, seconds]) => button(text, () => tell("POST", "clock/advance", { seconds })))),
      make("h3", { text: "Window" }), ...this.window(),
      make("h3", { text: "Latency" }), this.latency(),
      make("h3", { text: "Webhooks" }), this.webhooks(),
      make("h3", { text: "Pages" }), pages,
      make("h3", { text: "Start afresh" }), this.reset());
    feed.listeners.push((part) => part.switches && this.show());
  }

  window() {
    const check = (label, act) => {
      const box = make("input", { type: "checkbox", on: { change: () => act(box.checked) } });
      return [box, make("label", { class: "check" }, box, label)];
    };
    const put = (change) => tell("PUT", "switches", { ...this.feed.settings.switches, ...change });
    const [enforced, first] = check("Refuse messages outside the window", (on) => put({ window: on ? "enforce" : "off" }));
    const [unknown, second] = check("… and to people who never did anything", (on) => put({ unknown_conversations: on ? "refuse" : "allow" }));
    Object.assign(this, { enforced, unknown });
    return [first, second];
  }

  latency() {
    this.seconds = make("input", { type: "number", min: "0", step: "any", value: "0", id: "latency" });
    const put = (event) => {
      event.preventDefault();
      return tell("PUT", "latency", { ...this.feed.settings.latency, default: Number(this.seconds.value) || 0 });
    };
    return make("form", { class: "line", on: { submit: put } },
      make("label", { class: "field" }, make("span", { text: "Seconds before a step takes effect" }), this.seconds),
      make("button", { type: "submit", text: "Set" }));
  }

  webhooks() {
    this.url = make("input", { type: "url", placeholder: "http://127.0.0.1:8000/webhook", required: true });
    this.secret = make("input", { type: "password", autocomplete: "off", placeholder: "as the sandbox was started with" });
    this.receipts = make("input", { type: "checkbox" });
    return make("form", { class: "stacked", on: { submit: (event) => this.subscribe(event) } },
      make("label", { class: "field" }, make("span", { text: "Address of the app" }), this.url),
      make("label", { class: "field" }, make("span", { text: "App secret, to sign with" }), this.secret),
      make("label", { class: "check" }, this.receipts, "Send receipts: delivered at once, read after 2 s"),
      make("button", { type: "submit", text: "Send webhooks there" }));
  }

  async subscribe(event) {
    event.preventDefault();
    const wanted = { url: this.url.value };
    if (this.secret.value) wanted.app_secret = this.secret.value;
    if (this.receipts.checked) Object.assign(wanted, { deliveries: {}, reads: { delay_seconds: 2 } });
    if (!(await tell("PUT", "webhooks", wanted))) return;
    this.secret.value = "";
    notice("Webhooks go there from now on");
  }

  reset() {
    const dialog = make("dialog", { class: "sure", "aria-label": "Reset the sandbox?" },
      make("p", { text: "Every message, call and fault is forgotten, and what was set is as at the start." }),
      make("form", { method: "dialog", class: "choices" },
        make("button", { value: "no", text: "Keep all" }),
        make("button", { value: "yes", class: "danger", text: "Reset" })));
    dialog.addEventListener("close", async () => {
      if (dialog.returnValue === "yes" && (await tell("POST", "reset"))) notice("Everything is as it was at the start");
    });
    return make("div", {}, button("Reset the sandbox …", () => {
      dialog.returnValue = "no";
      dialog.showModal();
    }, { class: "danger" }), dialog);
  }

  show() {
    const { switches, latency, pages, subscription } = this.feed.settings;
    this.enforced.checked = switches.window === "enforce";
    this.unknown.checked = switches.unknown_conversations === "refuse";
    this.unknown.disabled = switches.window !== "enforce";
    if (document.activeElement !== this.seconds && typeof latency.default === "number") this.seconds.value = latency.default;
    if (document.activeElement !== this.url && subscription.url) this.url.value = subscription.url;
    this.pages.show(pages.map((page) => [page.id, page, (value) => this.page(value)]));
    this.tick();
  }

  page(page) {
    const dead = page.live_tokens === 0;
    return make("li", { class: "rule" },
      make("div", {},
        make("b", { text: page.id }),
        make("small", { text: `${page.platform === "instagram" ? "Instagram" : "Messenger"} · ${dead ? "no live token" : `${page.live_tokens} live token${page.live_tokens > 1 ? "s" : ""}`}` })),
      button("Kill tokens", () => tell("POST", `pages/${encodeURIComponent(page.id)}/kill-tokens`, {}), { disabled: dead, "aria-label": `Kill the tokens of page ${page.id}` }));
  }

  tick() {
    const ahead = this.feed.settings.ahead_seconds;
    const text = `${full(now())}${ahead ? ` · ${span(ahead)} ahead` : ""}`;
    this.time.textContent = text;
    byId("clock").textContent = text;
  }
}
