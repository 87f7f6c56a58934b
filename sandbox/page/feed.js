// What the sandbox tells of itself, as it happens: first all there is to see, then what changed of it.

import { setClock } from "./clock.js";

const MOST = { calls: 250, webhooks: 150, chats: 400 };
const AGAIN_SECONDS = 2;
// Showing takes no more than a fifth of the browser's time, however much happens.
const REST_PER_SHOW = 4;
const LEAST_REST_MS = 40;

/** All that is known, kept up to date. Listeners are called with what has just come. */
export class Feed {
  constructor() {
    this.chats = new Map();
    this.calls = new Map();
    this.webhooks = new Map();
    this.chat = null;
    this.settings = { pages: [], rules: [], latency: { default: 0 }, switches: {}, subscription: {}, ahead_seconds: 0 };
    this.requests = 0;
    this.listeners = [];
    this.news = null;
    this.restUntil = 0;
    this.watch = {};
    this.source = null;
    this.live = () => {};
    // A hidden tab would hold one of the few connections that a browser opens to one host.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.open()));
  }

  /** Watch one chat (`page`, `person`), and the calls of that person alone or all. */
  look(watch) {
    this.watch = watch;
    this.chat = null;
    this.close();
    if (!document.hidden) this.open();
  }

  close() {
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
  }

  open() {
    this.close();
    const source = new EventSource(`/sandbox/live?${new URLSearchParams(this.watch)}`);
    this.source = source;
    source.onopen = () => this.live(true);
    source.onmessage = (event) => this.take(JSON.parse(event.data));
    source.onerror = () => {
      this.live(false);
      this.close();
      this.again = setTimeout(() => this.open(), AGAIN_SECONDS * 1000);
    };
  }

  take(part) {
    setClock(part.now);
    this.requests = part.requests;
    if (part.whole) for (const name of Object.keys(MOST)) this[name].clear();
    for (const call of part.calls) put(this.calls, call.number, call, MOST.calls);
    for (const webhook of part.webhooks) put(this.webhooks, webhook.number, webhook, MOST.webhooks);
    for (const chat of part.chats ?? []) put(this.chats, `${chat.page}/${chat.person}`, chat, MOST.chats);
    if (part.chat) this.chat = part.chat;
    for (const name of Object.keys(this.settings)) if (name in part) this.settings[name] = part[name];
    this.tell(part);
  }

  /** Tell the listeners what is new: at once, or together with what comes in the meantime. */
  tell(part) {
    const waits = this.news !== null;
    this.news = waits ? joined(this.news, part) : part;
    const rest = this.restUntil - performance.now();
    if (rest <= 0 && !waits) this.show();
    else if (!waits) setTimeout(() => this.show(), rest);
  }

  show() {
    const began = performance.now();
    const news = this.news;
    this.news = null;
    for (const listener of this.listeners) listener(news);
    const ended = performance.now();
    this.restUntil = ended + Math.max(LEAST_REST_MS, (ended - began) * REST_PER_SHOW);
  }
}

/** Two parts as one, for those who only ask what of all is new. */
function joined(one, other) {
  const both = { ...one, ...other, whole: one.whole || other.whole };
  for (const name of Object.keys(MOST)) if (one[name] || other[name]) both[name] = [...(one[name] ?? []), ...(other[name] ?? [])].slice(-1);
  return both;
}

function put(rows, key, row, most) {
  rows.set(key, row);
  if (rows.size > most) rows.delete(rows.keys().next().value);
}
