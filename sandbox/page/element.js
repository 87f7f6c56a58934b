// Elements, made from names and texts alone: no text of a message can become markup.

const SVG = "http://www.w3.org/2000/svg";

/** An element. `on` holds listeners, `data` data attributes, `text` its text; children may be strings, null or lists. */
export function make(tag, { on = {}, data = {}, text, ...given } = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === false || value === null || value === undefined) continue;
    if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  Object.assign(element.dataset, data);
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  if (text !== undefined && text !== null) element.textContent = text;
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A button that does something and never submits a form. */
export function button(label, act, given = {}) {
  return make("button", { type: "button", text: label, on: { click: act }, ...given });
}

/** A summary with details that are drawn once they are wanted: of hundreds, few are ever opened. */
export function opening(given, summary, drawDetails) {
  const details = make("details", given, summary);
  const draw = () => details.children.length === 1 && details.append(...drawDetails().filter(Boolean));
  if (given.open) draw();
  else summary.addEventListener("click", draw, { once: true });
  return details;
}

/** A drawing from paths of 24 by 24, in the colour of the text. */
export function drawing(...paths) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("drawing");
  for (const path of paths) {
    const drawn = document.createElementNS(SVG, "path");
    drawn.setAttribute("d", path);
    svg.append(drawn);
  }
  return svg;
}

/** The element of this id. */
export const byId = (id) => document.getElementById(id);

/** An address that may be opened or loaded: http or https; else null. */
export function webAddress(text) {
  if (typeof text !== "string") return null;
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

/** A text, whatever was given in its place. */
export const asText = (value) => (typeof value === "string" ? value : value === undefined || value === null ? "" : String(value));

/** The rows of something that should be a list of objects. */
export const rowsOf = (value) => (Array.isArray(value) ? value.filter((row) => row && typeof row === "object") : []);

/**
 * Bring a parent's children in line with rows, keeping the element of each row that has not changed: what stands is
 * not announced again, does not flicker and keeps its focus.
 */
export class Kept {
  constructor(parent) {
    this.parent = parent;
    this.kept = new Map();
  }

  /** `rows` are [key, value, draw]; an element is drawn anew where its value has changed. */
  show(rows) {
    const wanted = new Set(rows.map(([key]) => key));
    for (const [key, { element }] of this.kept) {
      if (!wanted.has(key)) {
        element.remove();
        this.kept.delete(key);
      }
    }
    let place = null;
    for (const [key, value, draw] of rows) {
      const print = JSON.stringify(value);
      let found = this.kept.get(key);
      if (!found || found.print !== print) {
        const element = draw(value, found?.element);
        found?.element.replaceWith(element);
        found = { print, element };
        this.kept.set(key, found);
      }
      const before = place === null ? this.parent.firstChild : place.nextSibling;
      if (before !== found.element) this.parent.insertBefore(found.element, before);
      place = found.element;
    }
  }
}
