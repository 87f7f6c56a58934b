// Small drawings, so that the page looks the same where there is no font with pictures in it.

import { drawing, make } from "./element.js";

const PATHS = {
  image: ["M4 5h16v14H4Z", "m4 16 5-5 4 4 3-3 4 4", "M15.500 9h.01"],
  video: ["M4 6h11v12H4Z", "m15 10 5-3v10l-5-3"],
  audio: ["M4 10v4", "M8 7v10", "M12 4v16", "M16 8v8", "M20 10.500v3"],
  file: ["M7 3h7l4 4v14H7Z", "M14 3v4h4"],
  MEDIA_SHARE: ["M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1", "M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1"],
  product: ["M5 8h14l-1 13H6Z", "M9 8a3 3 0 0 1 6 0"],
  template: ["M4 4h16v16H4Z", "M4 10h16", "M10 10v10"],
  sticker: ["m12 3 2.600 5.600 6.100.700-4.500 4.200 1.200 6-5.400-3-5.400 3 1.200-6L3.300 9.300l6.100-.700Z"],
  like_heart: ["M12 20s-8-5-8-11a4.500 4.500 0 0 1 8-2.800A4.500 4.500 0 0 1 20 9c0 6-8 11-8 11Z"],
  chat: ["M5 4h14a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-6l-5 4v-4H5a2 2 0 0 1-2-2V6a2 2 0 0 1 2-2Z"],
};
const MOUTHS = ["M8 16.500c1-2.300 2.300-3 4-3s3 .7 4 3", "M8.500 16c1-1.300 2.100-1.700 3.500-1.700s2.500.4 3.500 1.700", "M8.500 15.500h7", "M8.500 14.500c1 1.300 2.100 1.700 3.500 1.700s2.500-.4 3.500-1.700", "M8 13.800c1 2.500 2.300 3.200 4 3.200s3-.7 4-3.200Z"];

/** The sign of a kind of content; of an unknown one, a file's. */
export const sign = (kind) => make("span", { class: "file-sign", "aria-hidden": "true" }, drawing(...(PATHS[kind] ?? PATHS.file)));

/** Faces from sad to glad. */
export const faces = () => MOUTHS.map((mouth) => drawing("M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z", "M9 9.500h.01", "M15 9.500h.01", mouth));

/** Something that cannot be shown, with what is known of it. */
export function unseen(kind, what, more) {
  return make("span", { class: "unseen" }, sign(kind), make("span", {}, make("b", { text: what }), make("small", { text: more })));
}
