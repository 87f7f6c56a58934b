// Refreshes what lives, and ticks all boxes of a list. The console works without it.
"use strict";
(() => {
  const PERIOD = 5000; // milliseconds
  const live = document.querySelector("[data-live]");
  const button = document.querySelector("[data-refresh]");
  let on = true;

  const news = () => live.querySelector("[data-told]")?.textContent.trim().replace(/\s+/g, " ") ?? "";
  const busy = () => document.hidden || live.contains(document.activeElement) || String(document.getSelection()) !== "";

  async function refresh() {
    const answer = await fetch(location.href, { credentials: "same-origin", redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const part = fresh.querySelector("[data-live]");
    if (!part) throw new Error("nothing to show");
    const opened = [...live.querySelectorAll("details")].map((one) => one.open);
    const before = news();
    live.replaceChildren(...part.childNodes);
    if (news() !== before) document.querySelector("[data-news]").textContent = news(); // read out, and only then
    live.querySelectorAll("details").forEach((one, number) => { one.open = opened[number] ?? one.open; });
    told(fresh.querySelector("[data-fresh]").textContent);
  }

  const told = (text) => { document.querySelector("[data-fresh]").textContent = text; };

  if (live && button) {
    button.hidden = false;
    document.querySelector("[data-again]").hidden = true;
    button.addEventListener("click", () => {
      on = !on;
      button.textContent = on ? "Pause refresh" : "Refresh again";
    });
    setInterval(() => {
      if (on && !busy()) refresh().catch(() => told("Not refreshed: the console does not answer. Reload the page."));
    }, PERIOD);
  }

  const all = document.querySelector("[data-all]");
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => {
      document.querySelectorAll("input[name=job]").forEach((box) => { box.checked = all.checked; });
    });
  }
})();
