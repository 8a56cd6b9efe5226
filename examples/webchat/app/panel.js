// What happened behind the chat, turn by turn. The page's server has masked it already.

import { byId, element } from "./dom.js";

/**
 * Draw one turn, above the earlier ones. It has `number`, `text` ("": no words, an arrival),
 * `shown` (not there yet: null or undefined), `failed`, `open`; and `node`, once it was drawn. A node stays the same
 * when its turn is drawn again, so that the keyboard's focus stays where it was.
 */
export function drawTurn(turn, texts) {
  turn.node ??= place(turn);
  const [summary] = turn.node.children;
  turn.node.open = turn.open;
  summary.replaceChildren(
    element("span", { class: "number" }, String(turn.number)),
    element("span", { class: "said", lang: turn.text ? "pt-BR" : null }, turn.text || texts.arrival),
    ...(turn.shown ? [pill(turn.shown.status, texts)] : []),
  );
  turn.node.replaceChildren(summary, ...body(turn, texts));
}

function place(turn) {
  const made = element("details", { class: "turn" }, element("summary"));
  made.addEventListener("toggle", () => (turn.open = made.open));
  byId("turns").prepend(made);
  byId("count").textContent = turn.number;
  return made;
}

function body({ shown, failed }, texts) {
  if (failed) return [element("p", { class: "failed" }, texts.noTurn)];
  if (!shown) return [element("p", { class: "waiting" }, texts.waiting)];
  return [
    element("p", { class: "meaning" }, texts.status[shown.status] ?? "", element("code", {}, `ps7_status: ${shown.status}`)),
    element("h3", {}, texts.asked),
    ...asked(shown, texts),
    element("h3", {}, texts.known),
    known(shown, texts),
    ...(shown.handedOver.length ? [element("h3", {}, texts.handedOver), handedOver(shown, texts)] : []),
  ];
}

/** What the agents' desk got, from the action server: this page was not on the way. */
function handedOver({ handedOver: fields }, texts) {
  const rows = fields.map(({ name, value }) =>
    element("tr", {}, element("th", { scope: "row" }, texts.slots[name] ?? name, element("code", {}, name)), element("td", {}, texts.values[name]?.[value] ?? value)),
  );
  return element("table", { class: "desk" }, element("tbody", {}, ...rows));
}

/** Let a long path break after its slashes. */
const breakable = (path) => path.split(/(?<=\/)/).flatMap((part) => [part, element("wbr")]);

/** An outcome in the page's language; its technical name is in the tooltip. */
export const pill = (outcome, texts) =>
  element("span", { class: `pill ${outcome}`, title: outcome }, texts.values.ps7_status[outcome] ?? outcome ?? "-");

function asked({ requests, lookups, status, contextId }, texts) {
  if (!requests.length) {
    const reason = lookups[0]?.reason ?? (status === "missing" && contextId ? "left" : status);
    return [element("p", {}, texts.unasked[reason] ?? texts.unasked.other)];
  }
  // The simulator says what it answered, or would have: where nothing arrived, only the client knows.
  const arrived = lookups.some((lookup) => lookup.status !== null);
  const calls = new Map();
  for (const { method, path, status: code } of requests) {
    const call = `${method} ${path}`;
    calls.set(call, [...(calls.get(call) ?? []), arrived ? code : texts.noAnswer]);
  }
  const rows = [...calls].map(([call, answers]) =>
    element("li", {}, element("code", {}, ...breakable(call)), element("b", { class: arrived ? null : "none" }, answers.join(", "))),
  );
  const ends = lookups.map(({ outcome, reason, ms }) =>
    element(
      "p",
      { class: "end" },
      pill(outcome, texts),
      ...(outcome === reason ? [] : [element("code", { class: "reason" }, reason)]),
      element("span", { class: "ms" }, `${ms} ms`),
      element("span", {}, texts.requests(requests.length)),
    ),
  );
  return [element("ol", { class: "requests" }, ...rows), ...ends];
}

function known({ slots }, texts) {
  const customer = slots.filter(({ name }) => name !== "ps7_status");
  if (!customer.length) return element("p", {}, texts.nothingKnown);
  const rows = customer.map(({ name, value, masked, changed }) =>
    element(
      "tr",
      { class: changed ? "changed" : null, "data-slot": name },
      element("th", { scope: "row" }, texts.slots[name] ?? name, element("code", {}, name)),
      element("td", {}, ...(changed && value !== null ? [mark(texts)] : []), ...said(name, value, masked, texts)),
    ),
  );
  return element("table", {}, element("tbody", {}, ...rows));
}

const mark = (texts) => element("span", { class: "new" }, texts.changed);

/** What a slot holds, in the page's language; below it the technical value, or that more is in the slot. */
function said(name, value, masked, texts) {
  if (value === null) return [element("i", {}, texts.cleared)];
  if (name === "ps7_context") return [element("i", {}, texts.sealed)];
  if (name === "ps7_expires_at") return [time(value)];
  if (masked) return [value, element("small", {}, texts.masked)];
  const word = texts.values[name]?.[value] ?? value;
  return word === value ? [value] : [word, element("code", {}, value)];
}

function time(value) {
  const options = { dateStyle: "short", timeStyle: "medium" };
  const shown = new Date(value).toLocaleString(document.documentElement.lang, options);
  return element("time", { datetime: value }, shown);
}
