// Templates: cards with buttons, receipts, coupons and forms, drawn simply. A button acts through `act`.

import { asText, button, make, rowsOf, webAddress } from "./element.js";
import { box, buttons, calm } from "./boxes.js";
import { media, picture } from "./media.js";
import { sign, unseen } from "./signs.js";
import { coupon, feedback, optIn, receipt } from "./papers.js";

const DRAWN = {
  generic: (payload, act) => carousel(rowsOf(payload.elements).map((element) => card(element, act))),
  button: (payload, act) => box("button-template", make("p", { class: "text", text: asText(payload.text) }), buttons(payload.buttons, act)),
  media: (payload, act) => {
    const [element = {}] = rowsOf(payload.elements);
    const shown = media({ type: element.media_type, payload: element.url ? {} : element });
    const link = webAddress(element.url);
    return box("media-template", shown, link ? make("a", { class: "card-link", href: link, target: "_blank", rel: "noopener noreferrer", text: link }) : null, buttons(element.buttons, act));
  },
  product: (payload) => carousel(rowsOf(payload.elements).map((element) => box("card product", make("span", { class: "card-blank" }, sign("product")), make("b", { class: "card-title", text: `Product ${asText(element.id)}` }), make("small", { text: "From the page's catalogue, which the sandbox does not have" })))),
  image_grid: (payload, act) => box("grid-template", make("div", { class: "pictures" }, rowsOf(payload.images ?? payload.elements).map((one) => media({ type: "image", payload: { ...one, url: one.url ?? one.image_url } }))), heading(payload), buttons(payload.buttons, act)),
  receipt,
  coupon,
  customer_feedback: feedback,
  one_time_notif_req: optIn,
  notification_messages: optIn,
  utility: (payload) => box("utility", make("small", { class: "kicker", text: `Utility template · ${asText(payload.language?.code)}` }), make("b", { text: asText(payload.name) }), ...rowsOf(payload.components).map((one) => make("p", { class: "parameters" }, make("small", { text: asText(one.type) }), " ", rowsOf(one.parameters).map((value) => asText(value.text ?? value.type)).join(" · ")))),
};

/** A template, by its type; one that is not known is named. */
export function template(payload, act) {
  const draw = DRAWN[payload.template_type];
  return draw ? draw(payload, act) : unseen("template", "Template", asText(payload.template_type));
}

const heading = (payload) => [payload.title ? make("b", { class: "card-title", text: asText(payload.title) }) : null, payload.subtitle ? make("small", { class: "card-subtitle", text: asText(payload.subtitle) }) : null];

function card(element, act) {
  const image = webAddress(element.image_url);
  const link = webAddress(element.default_action?.url);
  const title = make("b", { class: "card-title" }, link ? make("a", { href: link, target: "_blank", rel: "noopener noreferrer", text: asText(element.title) }) : asText(element.title));
  return box("card", image ? picture(image, asText(element.title)) : null, make("div", { class: "card-text" }, title, element.subtitle ? make("small", { class: "card-subtitle", text: asText(element.subtitle) }) : null), buttons(element.buttons, act));
}

/** Cards beside each other, to be scrolled, or moved on by buttons. */
function carousel(cards) {
  if (cards.length < 2) return cards[0] ?? unseen("template", "Template", "no elements");
  const row = make("ul", { class: "cards", tabindex: "0", "aria-label": `${cards.length} cards` }, cards.map((one) => make("li", {}, one)));
  const move = (way) => row.scrollBy({ left: way * row.firstChild.getBoundingClientRect().width, behavior: calm() ? "auto" : "smooth" });
  const back = button("‹", () => move(-1), { class: "move back", "aria-label": "Earlier cards" });
  const on = button("›", () => move(1), { class: "move on", "aria-label": "Further cards" });
  const where = () => {
    back.disabled = row.scrollLeft < 4;
    on.disabled = row.scrollLeft + row.clientWidth > row.scrollWidth - 4;
  };
  row.addEventListener("scroll", where, { passive: true });
  new ResizeObserver(where).observe(row);
  return make("div", { class: "carousel" }, row, back, on);
}
