// The page: who can arrive, who is there, and in which language. All three stand in the address:
// ?lang=en&as=ana

import { Conversation } from "./conversation.js";
import { byId, element } from "./dom.js";
import { pill } from "./panel.js";
import { DEFAULT, TEXTS, translate } from "./texts.js";

let page = null; // what the server said of itself: Rasa's address, the cards
let conversation = null; // whoever is there
let here = null; // the name on their card
let gone = false; // whether they left: the address then names nobody, so that no reload lets them arrive

const query = () => new URLSearchParams(location.search);
const language = () => (query().get("lang") in TEXTS ? query().get("lang") : DEFAULT);
const texts = () => TEXTS[language()];
const card = (name) => page.cards.find((one) => one.name === name);

function address(changes) {
  const now = { lang: query().get("lang"), as: query().get("as"), ...changes };
  const kept = Object.entries(now).filter(([, value]) => value);
  return `?${new URLSearchParams(kept)}`;
}

/** Go where a link leads, without loading the page again: a chat goes on in the other language. */
function follow(event) {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const inPlace = "language" in link.dataset; // the way back leads to no arrival in another language
  history[inPlace ? "replaceState" : "pushState"](null, "", link.getAttribute("href"));
  gone &&= inPlace;
  draw();
}

/** The customer has left, or may have: what was said stays, and the address names nobody. */
function leave() {
  gone = true;
  history.replaceState(null, "", address({ as: null }));
  draw();
}

/** Back to the question of who is there. */
function beginAnew() {
  gone = false;
  draw();
}

function draw() {
  translate(language());
  for (const link of document.querySelectorAll("[data-language]")) link.href = address({ lang: link.dataset.language });
  byId("home").href = byId("back").href = address({ as: null });
  drawCards();
  const who = card(gone ? here : query().get("as"));
  byId("arrivals").hidden = Boolean(who);
  byId("conversation").hidden = !who;
  document.title = who ? `${who.heading[language()]} · ${texts().bank}` : texts().title;
  if (who) {
    byId("who").textContent = who.heading[language()];
    byId("about").textContent = [who.segment, who.about[language()]].filter(Boolean).join(" · ");
    conversation?.draw();
  }
  if (here !== (who?.name ?? null)) change(who);
}

function drawCards() {
  for (const group of ["customers", "faults"]) {
    const cards = page.cards.filter((one) => one.group === group);
    byId(group).replaceChildren(...cards.map((one) => element("li", {}, drawCard(one))));
  }
}

function drawCard({ name, heading, about, segment, group, outcome }) {
  const fault = group === "faults";
  return element(
    "a",
    { class: "card", href: address({ as: name }), "data-card": name },
    element("span", { class: "segment" }, fault ? pill(outcome, texts()) : segment),
    element("strong", {}, heading[language()]),
    element("span", { class: "about" }, about[language()]),
  );
}

/** Somebody arrives, or the one who was there goes. */
function change(who) {
  const left = here;
  here = who?.name ?? null;
  conversation?.close();
  conversation = null;
  byId("failure").hidden = true;
  if (!who) {
    (document.querySelector(`[data-card="${CSS.escape(left)}"]`) ?? document.querySelector("#arrivals h1")).focus();
    return;
  }
  show("chat");
  byId("input").focus();
  conversation = new Conversation({ page, texts, arrive: (id) => arrive(who.name, id), onLeft: leave });
}

/** Ask the back-end what somebody brings into a conversation; null if it does not answer. */
function arrive(who, conversation) {
  const body = JSON.stringify({ card: who, conversation });
  return ask("api/arrivals", { method: "POST", body });
}

/** On a narrow screen: the chat, or the panel. */
function show(side) {
  byId("conversation").dataset.side = side;
  for (const button of document.querySelectorAll(".sides button")) {
    button.setAttribute("aria-pressed", String(button.dataset.side === side));
  }
}

/** Ask the page's server; say so where it does not answer. */
async function ask(path, options) {
  try {
    const answer = await fetch(path, options);
    if (answer.ok) return await answer.json();
  } catch {
    // said below
  }
  byId("failure").textContent = texts().noServer;
  byId("failure").hidden = false;
  return null;
}

document.addEventListener("click", follow);
addEventListener("popstate", beginAnew);
byId("anew").addEventListener("click", beginAnew);
document.querySelector(".sides").addEventListener("click", (event) => {
  const side = event.target.closest("button")?.dataset.side;
  if (side) show(side);
});
byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = byId("input").value.replace(/^[\s/]+/, "").trim(); // to Rasa, a slash would begin a command
  if (text && conversation?.say(text)) byId("input").value = "";
});
byId("suggestions").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) conversation?.say(button.value);
  if (button?.isConnected === false) byId("suggestions").querySelector("button").focus();
});

translate(language());
page = await ask("api/page");
if (page) draw();
