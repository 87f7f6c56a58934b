// Telling the sandbox's control interface something, and saying so where it will not take it.

import { byId, make } from "./element.js";

const SECONDS = 6;

/** Tell it; gives its answer, or null where it refused: the refusal is shown. */
export async function tell(method, path, body) {
  try {
    const answer = await fetch(`/sandbox/${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const said = await answer.json();
    if (answer.ok) return said;
    notice(said.error ?? `The sandbox answered ${answer.status}`, "bad");
  } catch (error) {
    notice(`The sandbox cannot be reached (${error.message})`, "bad");
  }
  return null;
}

/** Say something for a while. */
export function notice(text, kind = "good") {
  const shown = make("p", { class: "notice", data: { kind }, text });
  byId("notices").append(shown);
  setTimeout(() => shown.remove(), SECONDS * 1000);
}
