// The sandbox's clock, and times and spans in words.

let ahead = null; // the sandbox's seconds at the browser's monotonic zero

/** The sandbox has just said its time, in Unix seconds. */
export function setClock(now) {
  ahead = now - performance.now() / 1000;
}

/** The sandbox's time now, in Unix seconds. */
export const now = () => (ahead === null ? Date.now() / 1000 : ahead + performance.now() / 1000);

const short = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const long = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const hour = (at) => short.format(at * 1000);
export const moment = (at) => exact.format(at * 1000);
export const dayOf = (at) => day.format(at * 1000);
export const full = (at) => long.format(at * 1000);

/** A span in words, of two units at most: "23 h 4 min". */
export function span(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const units = [
    ["d", Math.floor(whole / 86400)],
    ["h", Math.floor(whole / 3600) % 24],
    ["min", Math.floor(whole / 60) % 60],
    ["s", whole % 60],
  ];
  const first = units.findIndex(([, count]) => count > 0);
  if (first < 0) return "0 s";
  const told = units.slice(first, first + 2).filter(([, count]) => count > 0);
  return told.map(([unit, count]) => `${count} ${unit}`).join(" ");
}
