// What a message holds, in a few words or as the elements to show. Media and templates have files of their own.

import { asText, make, rowsOf, webAddress } from "./element.js";
import { NAMES, media } from "./media.js";
import { unseen } from "./signs.js";
import { template } from "./templates.js";

/** A message in a few words, for a list. */
export function inShort(content) {
  if (content.text) return asText(content.text);
  const [first] = attachmentsOf(content);
  if (first?.type === "template") return asText(first.payload?.text ?? first.payload?.title ?? first.payload?.elements?.[0]?.title) || "Template";
  if (first) return NAMES[first.type] ?? "Attachment";
  if (content.sticker_id) return "Sticker";
  return content.template ? `Template ${asText(content.template.name)}` : "Message";
}

export const attachmentsOf = (content) => [...rowsOf([content.attachment]), ...rowsOf(content.attachments)];

/** The parts of a message, each with whether it stands in a bubble or fills one of its own. */
export function partsOf(content, act) {
  if (content.text) return [{ element: make("p", { class: "text" }, ...linked(asText(content.text))), plain: true }];
  const attachments = attachmentsOf(content);
  const pictures = attachments.filter((one) => one.type === "image");
  if (pictures.length > 1) return [{ element: make("div", { class: "pictures" }, pictures.map(media)) }];
  if (attachments.length) return attachments.map((one) => (one.type === "template" ? { element: template(one.payload ?? {}, act) } : { element: media(one) }));
  if (content.sticker_id) return [{ element: unseen("sticker", "Sticker", asText(content.sticker_id)) }];
  if (content.template) return [{ element: template({ template_type: "utility", ...content.template }, act) }];
  return [{ element: make("p", { class: "text", text: "(an empty message)" }), plain: true }];
}

/** A text with its addresses as links. */
export function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, place) => {
    const address = place % 2 ? webAddress(part) : null;
    return address ? make("a", { href: address, target: "_blank", rel: "noopener noreferrer", text: part }) : part;
  });
}
