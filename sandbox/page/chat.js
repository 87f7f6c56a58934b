// The sandbox's page: puts the parts together, and keeps what is open in the address.

import { Calls } from "./calls.js";
import { Composer } from "./composer.js";
import { Faults } from "./faults.js";
import { Feed } from "./feed.js";
import { Log } from "./log.js";
import { People } from "./people.js";
import { Webhooks } from "./webhooks.js";
import { World } from "./world.js";
import { byId } from "./element.js";

const feed = new Feed();
const composer = new Composer(feed);
const act = {
  postback: (title, payload) => composer.postback(title, payload),
  optIn: (...given) => composer.optIn(...given),
  react: (message, emoji) => composer.react(message, emoji),
  answer: (message) => composer.answer(message),
  pane: (name) => (document.body.dataset.pane = name),
};
const log = new Log(feed, act);
const people = new People(feed, (page, person) => go(page, person));
const calls = new Calls(feed, () => watch());
new Webhooks(feed);
new Faults(feed);
const world = new World(feed);
let open = { page: null, person: null };

/** Open a chat; what is open is in the address, so that it can be kept and gone back from. */
function go(page, person) {
  location.hash = new URLSearchParams(person === null ? { page } : { page, person });
}

function opened() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  open = { page: wanted.get("page"), person: wanted.get("person") };
  document.body.dataset.pane = open.person === null ? "people" : "chat";
  watch();
}

function watch() {
  const given = Object.entries(open).filter(([, value]) => value !== null);
  if (open.person !== null && calls.onlyPerson) given.push(["calls_of_person", "true"]);
  people.open(open.page, open.person);
  feed.look(Object.fromEntries(given));
  log.open(open.person !== null);
  composer.open();
}

/** With nothing chosen, the first page is; on a wide screen also its latest chat. */
feed.listeners.push((part) => {
  const page = open.page ?? feed.settings.pages[0]?.id;
  document.body.dataset.platform = feed.settings.pages.find(({ id }) => id === page)?.platform ?? "messenger";
  if (!part.whole || !page) return;
  if (open.page === null) people.open(page, null);
  if (open.person !== null || matchMedia("(max-width: 800px)").matches) return;
  const [latest] = people.chats();
  if (latest) history.replaceState(null, "", `#${new URLSearchParams({ page: latest.page, person: latest.person })}`), opened();
});

feed.live = (live) => {
  byId("live").dataset.live = live ? "yes" : "no";
  byId("live-text").textContent = live ? "Live" : "Not connected, trying again …";
};

byId("tabs").addEventListener("click", ({ target }) => target.closest("[role=tab]") && showTab(target.closest("[role=tab]")));
byId("tabs").addEventListener("keydown", (event) => {
  const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!way) return;
  const tabs = [...byId("tabs").children];
  const next = tabs[(tabs.indexOf(document.activeElement) + way + tabs.length) % tabs.length];
  next.focus();
  showTab(next);
});

function showTab(chosen) {
  for (const tab of byId("tabs").children) {
    const shown = tab === chosen;
    tab.setAttribute("aria-selected", shown ? "true" : "false");
    tab.tabIndex = shown ? 0 : -1;
    byId(tab.getAttribute("aria-controls")).hidden = !shown;
  }
}

for (const choice of document.querySelectorAll(".panes button")) choice.addEventListener("click", () => act.pane(choice.dataset.to));
// The address holds the open chat: a plain link to a part of the page would take its place.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  if (open.person !== null) act.pane("chat");
  byId(byId("write").disabled ? "log" : "write").focus();
});
// A menu closes where something else is pressed, or with Escape.
const menus = "details.react[open], details.deeds[open]";
document.addEventListener("click", ({ target }) => document.querySelectorAll(menus).forEach((menu) => menu.contains(target) || (menu.open = false)));
document.addEventListener("keydown", ({ key }) => key === "Escape" && document.querySelectorAll(menus).forEach((menu) => (menu.open = false)));
addEventListener("hashchange", opened);
setInterval(() => (log.tick(), world.tick()), 1000);
opened();
