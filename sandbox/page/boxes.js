// What all templates are made of: boxes, and the buttons below them.

import { asText, button, make, rowsOf, webAddress } from "./element.js";
import { notice } from "./control.js";

/** A box of some kind, with its parts. */
export const box = (kind, ...children) => make("div", { class: `box ${kind}` }, ...children);

/** Whether the reader wants nothing to move. */
export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Buttons: an address is opened, a postback goes to the page; what else there is on a phone is only told. */
export function buttons(given, act) {
  const rows = rowsOf(given);
  if (!rows.length) return null;
  return make("div", { class: "buttons" }, rows.map((one) => {
    const address = webAddress(one.url);
    const title = asText(one.title) || { account_link: "Log in", account_unlink: "Log out" }[one.type] || asText(one.type);
    if (one.type === "web_url" && address) return make("a", { class: "button", href: address, target: "_blank", rel: "noopener noreferrer", text: title });
    if (one.type === "postback") return button(title, () => act.postback(title, asText(one.payload)), { class: "button" });
    const told = one.type === "phone_number" ? `On a phone this calls ${asText(one.payload)}` : `The sandbox does not copy ${asText(one.type)}`;
    return button(title, () => notice(told), { class: "button" });
  }));
}
