// The chat as one sees it: messages, suggestions, what is typed, and the panel beside it.

import { openChat } from "./chat.js";
import { byId, element } from "./dom.js";
import { drawTurn } from "./panel.js";
import { REPLIES, SUGGESTIONS } from "./texts.js";

/**
 * One visitor. `arrive(conversation)` gives the metadata that they bring, `texts()` the texts of the
 * page's language at any moment; `onLeft()` is told when nobody arrives here any more.
 */
export class Conversation {
  constructor({ page, arrive, texts, onLeft }) {
    Object.assign(this, { page, texts, turns: [], metadata: {}, connected: null, left: null });
    byId("messages").replaceChildren();
    byId("turns").replaceChildren();
    byId("count").textContent = "";
    byId("suggestions").replaceChildren(...Object.keys(SUGGESTIONS).map((text) => suggestion(text)));
    this.chat = openChat({
      rasa: page.rasa,
      arrive: async (conversation) => {
        const metadata = await arrive(conversation);
        this.metadata = metadata ?? this.metadata;
        return metadata;
      },
      onMessage: (text, correlation, replies) => {
        this.add("bot", text, this.turn(correlation));
        this.suggest(replies);
      },
      onOver: (correlation) => this.over(this.turn(correlation)),
      onBroken: (correlation) => this.broken(this.turn(correlation)),
      onLeft: (why) => {
        this.left = why;
        this.metadata = {};
        onLeft();
      },
      onConnection: (up) => this.connection(up),
    });
    this.draw();
  }

  /** The bot speaks first: the page says, as the channel of a bank would, that somebody is there. */
  connection(up) {
    this.connected = up;
    this.draw();
    if (!up) return;
    if (!this.turns.length) this.send("/greet", null);
    else if (!this.left) this.add("note", this.texts().again);
  }

  /** Say what the customer typed or chose; false where nobody would hear it. */
  say(text) {
    if (!this.connected) return false;
    this.suggest([]);
    const message = this.add("you", text);
    this.send(text, text).message = message;
    return true;
  }

  /** Send a message: its turn begins. */
  send(message, text) {
    const turn = { number: this.turns.length + 1, text, shown: null, failed: false, open: true };
    Object.assign(turn, this.chat.say(message), { typing: this.append(typing()) });
    for (const earlier of this.turns) earlier.open = earlier.node.open = false;
    this.turns.push(turn);
    drawTurn(turn, this.texts());
    return turn;
  }

  /** The connection broke under a message: nobody knows whether it arrived. */
  broken(turn) {
    turn.message?.append(" ", element("small", { class: "broken", "data-text": "broken" }, this.texts().broken));
    this.over(turn);
  }

  /** A turn is over: ask the page's server what came of it. */
  async over(turn) {
    turn.typing.remove();
    if (this.closed) return;
    try {
      const answer = await fetch(`api/turns/${turn.conversation}/${turn.correlation}`);
      if (!answer.ok) throw new Error(answer.statusText);
      turn.shown = await answer.json();
    } catch {
      turn.failed = true;
    }
    drawTurn(turn, this.texts());
  }

  /** Before what one may always say, what the bot suggests: it stands until the next message. */
  suggest(replies) {
    for (const earlier of document.querySelectorAll(".reply")) earlier.remove();
    byId("suggestions").prepend(...replies.map(({ title, payload }) => suggestion(title, payload, "reply")));
  }

  turn(correlation) {
    return this.turns.find((turn) => turn.correlation === correlation);
  }

  add(who, text, turn) {
    const speaker = element("span", { class: "unseen", "data-text": who }, this.texts()[who]);
    const spoken = element("span", { lang: who === "note" ? null : "pt-BR" }, text);
    return this.append(element("p", { class: `message ${who}` }, speaker, " ", spoken), turn);
  }

  /** Add to the messages: to what answers a turn, above its dots, or else at the end. */
  append(node, turn) {
    const log = byId("messages");
    log.insertBefore(node, turn?.typing ?? null);
    log.scrollTop = log.scrollHeight;
    return node;
  }

  /** Draw everything that speaks the language of the page. */
  draw() {
    this.drawState();
    for (const turn of this.turns) drawTurn(turn, this.texts());
    byId("production").textContent = this.page.signed ? this.texts().signed : this.texts().unsigned;
    byId("metadata").textContent = emitted(this.metadata);
  }

  drawState() {
    const { connecting, lost } = this.texts();
    byId("state").textContent = { true: "", false: lost, null: connecting }[this.connected];
    byId("left").hidden = this.left === null;
    byId("why").textContent = this.left ? this.texts().left[this.left] : "";
  }

  close() {
    this.closed = true;
    this.chat.close();
  }
}

/** Three dots under a message, until all its answers are there. */
function typing() {
  const dots = [1, 2, 3].map(() => element("span"));
  return element("p", { class: "typing", "aria-hidden": "true" }, ...dots);
}

/** In Portuguese, since the bot speaks nothing else; what it means stands below on an English page. */
function suggestion(text, said = text, kind = null) {
  const meaning = SUGGESTIONS[text] ?? REPLIES[text];
  const gloss = meaning ? element("small", { class: "gloss", lang: "en" }, meaning) : null;
  const button = element("button", { type: "button", value: said }, element("span", { lang: "pt-BR" }, text), gloss);
  return element("li", { class: kind }, button);
}

/** The call of chat.js, as it stands for this visitor. */
function emitted({ contextId }) {
  const shown = contextId?.length > 24 ? `${contextId.slice(0, 16)}…` : contextId;
  return `socket.emit("user_uttered", {
  message: "…",
  metadata: {${shown ? `\n    contextId: "${shown}",` : ""}
    correlationId: crypto.randomUUID(),
  },
});`;
}
