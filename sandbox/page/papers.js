// Templates that look like papers: receipts, coupons, forms, and the question whether one may write again.

import { asText, button, make, rowsOf, webAddress } from "./element.js";
import { box, buttons } from "./boxes.js";
import { faces } from "./signs.js";

const SCALES = { nps: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10], ces: [1, 2, 3, 4, 5, 6, 7] };

/** A sum in its currency, as the reader's language writes it. */
function money(sum, currency) {
  const number = Number(sum);
  if (!Number.isFinite(number)) return `${asText(sum)} ${asText(currency)}`;
  try {
    return new Intl.NumberFormat(undefined, { style: "currency", currency: asText(currency) }).format(number);
  } catch {
    return `${number} ${asText(currency)}`;
  }
}

export function receipt(payload) {
  const sum = (value) => money(value, payload.currency);
  const summary = payload.summary ?? {};
  const sums = [["Subtotal", summary.subtotal], ["Shipping", summary.shipping_cost], ["Tax", summary.total_tax], ...rowsOf(payload.adjustments).map((one) => [asText(one.name), one.amount && -one.amount])];
  const line = (name, value, given = {}) => make("tr", given, make("th", { scope: "row", text: name }), make("td", { text: value }));
  return box("paper receipt",
    make("small", { class: "kicker", text: `Order ${asText(payload.order_number)}` }),
    make("b", { class: "card-title", text: `Receipt for ${asText(payload.recipient_name)}` }),
    make("table", {},
      make("tbody", {}, rowsOf(payload.elements).map((one) => line(`${one.quantity ? `${asText(one.quantity)} × ` : ""}${asText(one.title)}`, sum(one.price ?? 0)))),
      make("tfoot", {}, sums.filter(([, value]) => value !== undefined && value !== null).map(([name, value]) => line(name, sum(value))), line("Total", sum(summary.total_cost), { class: "total" }))),
    make("small", { class: "card-subtitle", text: `Paid with ${asText(payload.payment_method)}` }));
}

export function coupon(payload) {
  const link = webAddress(payload.coupon_url);
  return box("paper coupon",
    make("small", { class: "kicker", text: "Coupon" }),
    make("b", { class: "card-title", text: asText(payload.title) }),
    payload.subtitle ? make("small", { class: "card-subtitle", text: asText(payload.subtitle) }) : null,
    payload.coupon_code ? make("code", { class: "coupon-code", text: asText(payload.coupon_code) }) : null,
    link ? make("a", { class: "button", href: link, target: "_blank", rel: "noopener noreferrer", text: asText(payload.coupon_url_button_title) || "Use it" }) : null);
}

/** A form of one question. Where its answer goes is not among the facts, so it can only be looked at. */
export function feedback(payload) {
  const [screen = {}] = rowsOf(payload.feedback_screens);
  const [question = {}] = rowsOf(screen.questions);
  const scale = question.type === "csat" ? faces() : SCALES[question.type]?.map(String);
  return box("paper feedback",
    make("small", { class: "kicker", text: "Feedback" }),
    make("b", { class: "card-title", text: asText(payload.title) }),
    payload.subtitle ? make("small", { class: "card-subtitle", text: asText(payload.subtitle) }) : null,
    make("p", { class: "question", text: asText(question.title) }),
    scale ? make("div", { class: `scale ${asText(question.type)}`, "aria-label": "Scale", role: "img" }, scale.map((step) => make("span", {}, step))) : null,
    question.follow_up || question.type === "free_form" ? make("span", { class: "blank", text: asText(question.follow_up?.placeholder) || "In their own words …" }) : null,
    make("small", { class: "card-subtitle", text: "A preview: answers are not copied by the sandbox" }));
}

export function optIn(payload, act) {
  const token = () => `sandbox-${crypto.randomUUID()}`;
  return box("paper opt-in",
    make("b", { class: "card-title", text: asText(payload.title) }),
    make("small", { class: "card-subtitle", text: "The page asks to send more later" }),
    make("div", { class: "buttons" }, button("Allow", () => act.optIn(token(), asText(payload.title), asText(payload.payload)), { class: "button" })),
    buttons(payload.buttons, act));
}
