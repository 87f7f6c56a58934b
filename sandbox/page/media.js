// Pictures, sounds, films and files, and what can only be named.

import { asText, make, webAddress } from "./element.js";
import { sign, unseen } from "./signs.js";

export const NAMES = { image: "Picture", video: "Video", audio: "Voice message", file: "File", template: "Template", MEDIA_SHARE: "Shared post", like_heart: "Heart" };

/** One attachment. What came without an address, as a file or by its id, is named only. */
export function media(attachment) {
  const kind = attachment.type;
  if (kind === "like_heart") return make("span", { class: "huge", role: "img", "aria-label": "Heart" }, sign(kind));
  const address = webAddress(attachment.payload?.url);
  const known = attachment.payload?.attachment_id ?? attachment.payload?.id;
  if (!address) return unseen(kind, NAMES[kind] ?? kind, known ? `id ${asText(known)}` : "came as a file");
  if (kind === "image") return picture(address, "Picture");
  if (kind === "video" || kind === "audio") {
    const player = make(kind, { controls: true, preload: "none", src: address, class: `player ${kind}`, "aria-label": NAMES[kind] });
    player.addEventListener("error", () => player.replaceWith(unseen(kind, NAMES[kind], host(address))), { once: true });
    return player;
  }
  return make("a", { class: "file", href: address, target: "_blank", rel: "noopener noreferrer" },
    sign(kind),
    make("span", {}, make("b", { text: fileName(address) }), make("small", { text: host(address) })));
}

/** A picture, or its address where it cannot be loaded. */
export function picture(address, words) {
  const image = make("img", { class: "picture", src: address, alt: words, loading: "lazy", referrerpolicy: "no-referrer" });
  image.addEventListener("error", () => image.replaceWith(unseen("image", words, host(address))), { once: true });
  return image;
}

const host = (address) => new URL(address).host;
const fileName = (address) => decodeName(new URL(address).pathname.split("/").pop()) || "File";

function decodeName(name) {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
