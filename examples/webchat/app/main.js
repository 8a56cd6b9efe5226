// The page: who can arrive, who is logged in, and in which language. The page's server knows who is logged in, by
// a cookie that no script can read; the language stands in the address: ?lang=en

import { Conversation } from "./conversation.js";
import { byId, element } from "./dom.js";
import { pill } from "./panel.js";
import { customerText } from "./text.js";
import { DEFAULT, TEXTS, translate } from "./texts.js";

let page = null; // what the server said of itself: Rasa's address, the cards, who is logged in
let conversation = null; // of whoever is logged in, until somebody begins anew

/** Whoever logs in or out does so in every tab. */
const tabs = new BroadcastChannel("login");
const query = () => new URLSearchParams(location.search);
const language = () => (query().get("lang") in TEXTS ? query().get("lang") : DEFAULT);
const texts = () => TEXTS[language()];

/** Change the language without loading the page again: a chat goes on. */
function follow(event) {
  const link = event.target.closest("[data-language]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  history.replaceState(history.state, "", link.getAttribute("href"));
  draw();
}

function draw() {
  translate(language());
  for (const link of document.querySelectorAll("[data-language]")) link.href = `?lang=${link.dataset.language}`;
  drawCards();
  const who = page.cards.find(({ name }) => name === page.who);
  byId("arrivals").hidden = conversation !== null;
  byId("conversation").hidden = !conversation;
  document.title = conversation ? texts().bank : texts().title;
  byId("who").textContent = who ? who.heading[language()] : texts().nobody;
  byId("about").textContent = who ? [who.segment, who.about[language()]].filter(Boolean).join(" · ") : "";
  conversation?.draw();
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
    "button",
    { type: "button", class: "card", "data-card": name },
    element("span", { class: "segment" }, fault ? pill(outcome, texts()) : segment),
    element("strong", {}, heading[language()]),
    element("span", { class: "about" }, about[language()]),
  );
}

/** Somebody picks a card: that is their log-in. The browser's way back is a log-out. */
async function logIn(name) {
  if (!(await ask("api/login", { method: "POST", body: JSON.stringify({ card: name }) }))) return;
  page.who = name;
  tabs.postMessage(name);
  history.pushState({}, "");
  open();
}

function open() {
  conversation = new Conversation({ page, texts, ask, onOver });
  draw();
  show("chat");
  byId("input").focus();
}

/** The page's server forgets who is logged in, and so does the page. */
function logOut() {
  page.who = null;
  return ask("api/logout", { method: "POST" });
}

/** The bot has logged the customer out, or another page has. What is theirs is gone from this one. */
function onOver() {
  logOut();
  draw();
  byId("anew").focus();
}

/** Go back to the question of who is there. Whoever is still logged in is logged out. */
function leave() {
  if (!conversation) return;
  const left = page.who;
  conversation.close();
  conversation = null;
  byId("failure").hidden = true;
  if (left) logOut().then(() => tabs.postMessage(null));
  draw();
  (document.querySelector(`[data-card="${left}"]`) ?? document.querySelector("#arrivals h1")).focus();
}

/** On a narrow screen: the chat, or the panel. */
function show(side) {
  byId("conversation").dataset.side = side;
  for (const button of document.querySelectorAll(".sides button")) {
    button.setAttribute("aria-pressed", String(button.dataset.side === side));
  }
}

/** Ask the page's server. Null: it does not answer, which is said unless `quiet`. Undefined: nobody is logged in. */
async function ask(path, { quiet, ...options } = {}) {
  try {
    const answer = await fetch(path, options);
    if (answer.status === 401) return undefined;
    if (answer.ok) {
      if (!quiet) byId("failure").hidden = true;
      return await answer.json();
    }
  } catch {
    // said below
  }
  if (!quiet) {
    byId("failure").textContent = texts().noServer;
    byId("failure").hidden = false;
  }
  return null;
}

document.addEventListener("click", follow);
addEventListener("popstate", leave);
addEventListener("pageshow", ({ persisted }) => persisted && location.reload()); // as it was left, for somebody else
tabs.addEventListener("message", () => location.reload());
for (const id of ["anew", "back"]) byId(id).addEventListener("click", leave);
byId("arrivals").addEventListener("click", (event) => {
  const name = event.target.closest("[data-card]")?.dataset.card;
  if (name) logIn(name);
});
document.querySelector(".sides").addEventListener("click", (event) => {
  const side = event.target.closest("button")?.dataset.side;
  if (side) show(side);
});
byId("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = customerText(byId("input").value);
  if (text && conversation.say(text)) byId("input").value = "";
});
byId("suggestions").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button && conversation.say(button.dataset.title, button.value)) byId("input").focus();
});

translate(language());
page = await ask("api/page");
if (page?.who) open();
else if (page) draw();
