// The chat as one sees it: messages, suggestions, what is typed, and the panel beside it.

import { openChat } from "./chat.js";
import { byId, element } from "./dom.js";
import { drawTurn } from "./panel.js";
import { tooLong } from "./text.js";
import { REPLIES, SUGGESTIONS } from "./texts.js";

/**
 * One visitor. `ask(path, options)` asks the page's server: null if that does not answer, and undefined if nobody is
 * logged in. `texts()` are those of the page's language; `onOver()` is told when the customer is logged out.
 */
export class Conversation {
  constructor({ page, ask, texts, onOver }) {
    Object.assign(this, { page, ask, texts, turns: [], pass: null, state: "connecting", agent: null, lost: false });
    this.chat = openChat({
      rasa: page.rasa,
      getPass: async () => (this.pass = (await ask("api/pass", { method: "POST" }))?.pass),
      getSaid: () => ask("api/said", { quiet: true }),
      onState: (state, agent) => this.enter(state, agent),
      onSaid: (said, pending) => this.restore(said, pending),
      onMessage: (message) => this.add(message, this.turn(message.answers)),
      onOver: (id) => this.over(this.turn(id)),
      onRefused: (id) => this.mark(this.turn(id), "refused"),
      onEnd: onOver,
    });
    this.draw();
  }

  enter(state, agent) {
    if (state === "lost") this.lost = true;
    else if (this.lost && state !== "over") {
      this.lost = false;
      this.add({ who: "note", text: this.texts().again });
    }
    Object.assign(this, { state, agent });
    if (state === "over") this.forget();
    this.draw();
  }

  /** Draw what was said so far. A conversation in which nobody has spoken is opened: the bot speaks first. */
  restore(said, pending) {
    const before = this.turns;
    byId("messages").ariaLive = "off"; // nobody wants to hear it all again
    this.clear();
    for (const message of said) {
      if (message.who !== "you") this.add(message);
      else this.begin(before.find(({ id }) => id === message.id) ?? { id: message.id }, message.text).typing.remove();
    }
    for (const turn of this.turns) if (!turn.shown) this.over(turn);
    if (!said.length) this.begin({ id: this.chat.say("") }, "");
    for (const turn of before.filter(({ id, text }) => text && pending.includes(id))) this.settle(this.begin(turn, turn.text));
    setTimeout(() => (byId("messages").ariaLive = "polite"));
  }

  /** Say what the customer typed or chose; false if nobody would hear it. */
  say(text, payload) {
    if (!["bot", "waiting", "agent", "back"].includes(this.state)) return false;
    const excess = tooLong(text);
    if (excess) {
      this.add({ who: "note", text: this.texts().tooLong(excess) });
      return false;
    }
    this.begin({ id: this.chat.say(text, payload) }, text);
    return true;
  }

  /** A turn begins with what the customer said or, if that is nothing, with their arrival. */
  begin(turn, text) {
    this.suggest([]);
    for (const earlier of this.turns) earlier.open = earlier.node.open = false;
    Object.assign(turn, { number: this.turns.length + 1, text, node: null, open: true });
    turn.message = text ? this.add({ who: "you", text }) : null;
    turn.typing = this.append(typing());
    this.turns.push(turn);
    drawTurn(turn, this.texts());
    return turn;
  }

  /** Nobody acknowledged a message when the connection broke: see whether it arrived. */
  async settle(turn) {
    if (await this.over(turn)) await this.chat.restore();
    else this.mark(turn, "broken");
  }

  /** Say beside a message what became of it. */
  mark(turn, why) {
    turn.typing.remove();
    turn.message?.append(" ", element("small", { class: "broken", "data-text": why }, this.texts()[why]));
  }

  /** A turn is over: ask the page's server what came of it. Return whether it knows. */
  async over(turn) {
    turn.typing.remove();
    if (this.closed) return false;
    turn.shown = await this.ask(`api/turns/${turn.id}`, { quiet: true });
    turn.failed = !turn.shown;
    if (this.turns.includes(turn)) drawTurn(turn, this.texts());
    return !turn.failed;
  }

  /** Before what one may always say, what the bot suggests: it stands until the next message. */
  suggest(replies) {
    for (const earlier of document.querySelectorAll(".reply")) earlier.remove();
    byId("suggestions").prepend(...replies.map(({ title, payload }) => suggestion(title, payload, "reply")));
  }

  turn(id) {
    return this.turns.find((turn) => turn.id === id);
  }

  /** Add what somebody said: what answers a turn stands above its dots. */
  add({ who, text, agent, signal, cards = [], replies = [] }, turn) {
    const speaker = who === "agent" ? agent : this.texts()[who];
    const label = element("span", { class: who === "agent" ? "name" : "unseen", "data-text": who === "agent" ? null : who }, speaker);
    const words = text ? [element("span", { class: "words", lang: who === "note" ? null : "pt-BR" }, text)] : [];
    const shown = cards.map((card) => drawCard(card, this.texts()));
    const pressed = [...replies, ...cards.flatMap((card) => card.replies ?? [])];
    if (pressed.length) this.suggest(pressed);
    if (!words.length && !shown.length) return null; // a signal alone
    const node = this.append(element("div", { class: `message ${who}` }, label, " ", ...words, ...shown), turn);
    if (signal === "ended") this.goodbye = node;
    return node;
  }

  /** Add to the messages: to what answers a turn, above its dots, or else at the end. */
  append(node, turn) {
    const log = byId("messages");
    const toEnd = () => (log.scrollTop = log.scrollHeight);
    log.insertBefore(node, turn?.typing.parentNode ? turn.typing : null);
    for (const image of node.querySelectorAll("img")) image.addEventListener("load", toEnd);
    toEnd();
    return node;
  }

  /** Draw everything that speaks the language of the page. */
  draw() {
    const { state, agent } = this;
    byId("conversation").dataset.state = state;
    byId("state").textContent = this.texts().states[state](agent);
    byId("anew").hidden = !["back", "over"].includes(state);
    byId("suggestions").hidden = !["bot", "back"].includes(state);
    for (const part of byId("form").elements) part.disabled = state === "over";
    for (const turn of this.turns) drawTurn(turn, this.texts());
    byId("production").textContent = this.page.signed ? this.texts().signed : this.texts().unsigned;
    byId("metadata").textContent = inside(this.pass);
  }

  /** Nothing of what was said may stay, nor what was typed and not sent. */
  clear() {
    this.turns = [];
    this.goodbye = null;
    byId("messages").replaceChildren();
    byId("turns").replaceChildren();
    byId("count").textContent = "";
    byId("suggestions").replaceChildren(...Object.keys(SUGGESTIONS).map((text) => suggestion(text)));
  }

  /** Whoever logged out leaves nothing behind but the bot's goodbye, and what it still knows: nothing. */
  forget() {
    const { goodbye } = this;
    const last = goodbye && this.turns.at(-1);
    this.clear();
    this.pass = null;
    byId("form").reset();
    if (!last) return;
    byId("messages").append(goodbye);
    this.turns = [Object.assign(last, { text: this.texts().goodbye, node: null })];
    drawTurn(last, this.texts());
  }

  close() {
    this.closed = true;
    this.chat.close();
    this.goodbye = null;
    this.forget();
    byId("metadata").textContent = "";
  }
}

/** Three dots under a message, until all its answers are there. */
function typing() {
  const dots = [1, 2, 3].map(() => element("span"));
  return element("p", { class: "typing", "aria-hidden": "true" }, ...dots);
}

/** In Portuguese, since the bot speaks nothing else; what it means stands below on an English page. */
function suggestion(text, payload = "", kind = null) {
  const meaning = SUGGESTIONS[text] ?? REPLIES[text];
  const gloss = meaning ? element("small", { class: "gloss", lang: "en" }, meaning) : null;
  const button = element("button", { type: "button", value: payload, "data-title": text }, element("span", { lang: "pt-BR" }, text), gloss);
  return element("li", { class: kind }, button);
}

/** A picture, a file, one of a carousel; or that there is something which this page cannot show. */
function drawCard({ kind, title, subtitle, image, url, links = [] }, texts) {
  const link = ({ title: name, url: to }) => element("a", { href: to, target: "_blank", rel: "noopener noreferrer" }, name);
  if (kind === "unknown" || !(title || image || url)) return element("span", { class: "attached", "data-text": "unknown" }, texts.unknown);
  const parts = [
    image ? element("img", { src: image, alt: title || texts.image }) : null,
    url ? link({ title: title || texts[kind] || url, url }) : title && kind === "card" ? element("strong", {}, title) : null,
    subtitle ? element("span", {}, subtitle) : null,
    ...links.map(link),
  ];
  return element("span", { class: "attached", lang: "pt-BR" }, ...parts);
}

/** What the pass of this visitor says: chat.js shows it to the channel with each message. */
function inside(pass) {
  if (!pass) return "";
  const { sub, exp, metadata } = JSON.parse(atob(pass.split(".")[1].replace(/-/g, "+").replace(/_/g, "/")));
  const contextId = metadata.contextId;
  const shown = contextId?.length > 24 ? `${contextId.slice(0, 16)}…` : contextId;
  return JSON.stringify({ sub, exp, metadata: shown ? { contextId: shown } : {} }, null, 2);
}
