// The conversation with the bot, over the channel in examples/channels/webchat.py. This file is all that
// a page of your own needs: it draws nothing.

import { read } from "./read.js";
import { io } from "./socket.io.js";

/** Milliseconds for which a pass is shown again: less than it is valid. */
const FRESH = 30_000;
/** Milliseconds until a page that the channel refused tries again. */
const PAUSE = 2_000;

/**
 * What the customer sees, in one word:
 *
 * - `connecting`: not there yet
 * - `bot`: the bot answers
 * - `waiting`: the bot has handed over, and nobody is there yet
 * - `agent`: a person answers
 * - `lost`: the connection broke, and comes back by itself into the same conversation
 * - `back`: the bot is back after a hand-over, and knows the customer no more
 * - `over`: the customer is logged out, and the conversation is closed
 */
const SIGNALS = { __proto__: null, handed_over: "waiting", joined: "agent", returned: "back", never_came: "back", ended: "over" };

/**
 * Open the conversation of whoever is logged in.
 *
 * `rasa` is the address of the Rasa server. Two functions ask your back-end, which knows the login:
 * `getPass()` for a pass, and `getSaid()` for what was said so far, as `history` in examples/channels/said.py
 * has it. Either is null if the back-end does not answer, and undefined if nobody is logged in any more.
 *
 * `onState(state, agent)` is told what the customer sees, and with whom they talk.
 * `onSaid(said, pending)` gets all that was said so far, each time the page connects: draw it in the place of what
 * stands there. `pending` are the ids of messages sent before, which nobody acknowledged.
 * `onMessage(message)` gets what is said from then on: read.js has what is in it, and `answers` is the id of
 * the customer's message, or undefined. `onOver(id)` is told when the bot has nothing more to say to a message, and
 * `onRefused(id)` that the channel did not take it: it was too long. `onEnd()` is told when the customer is logged out:
 * let your back-end end its own session too, and leave nothing on the page for whoever comes next.
 */
export function openChat({ rasa, getPass, getSaid, onState, onSaid, onMessage, onOver, onRefused, onEnd }) {
  // One WebSocket and no HTTP before it: so no CORS, and no sticky sessions behind a load balancer.
  const auth = async (show) => show({ pass: await fresh() });
  // Back within seconds of a short break: so long, what an agent says waits for the page.
  const times = { timeout: 5_000, reconnectionDelay: 500, reconnectionDelayMax: 2_000 };
  const socket = io(rasa, { transports: ["websocket"], forceNew: true, auth, ...times });
  let pending = []; // ids, oldest first: Rasa takes one message after the other
  const shown = new Set(); // ids of what an agent's desk said: it may say it again if it heard no answer
  let talk = "bot"; // the state whenever there is a connection
  let agent = null;
  let ended = false; // whether all that belongs to the goodbye was said
  let up = null; // null: not yet
  let pass = null;
  let freshUntil = 0;
  let replays = false; // whether it takes what was said before: the last of it says where the conversation is
  let meanwhile = null; // what is said while the page asks what was said before
  let restoring = Promise.resolve();
  let sending = Promise.resolve();

  /** Return a pass, an old one if the back-end does not answer. */
  async function fresh() {
    if (Date.now() < freshUntil) return pass;
    const given = await getPass();
    if (given === undefined) end();
    if (given) [pass, freshUntil] = [given, Date.now() + FRESH];
    return pass;
  }

  function enter(state, who = null) {
    if (talk === "over") return;
    [talk, agent] = [state, who];
    if (replays) return;
    if (talk !== "over") tell();
    else if (!pending.length) end();
  }

  /** Nobody is logged in any more. */
  function end() {
    if (ended) return;
    [talk, agent, pass, ended] = ["over", null, null, true];
    socket.close();
    tell();
    onEnd();
  }

  function tell() {
    onState(ended || up ? talk : up === null ? "connecting" : "lost", agent);
  }

  /** Take a message into account; return it as the page shows it, null if it has shown it. */
  function take(raw) {
    const message = read(raw);
    if (message.id !== undefined && message.who !== "you") {
      if (shown.has(message.id)) return null;
      shown.add(message.id);
    }
    const signal = SIGNALS[message.signal];
    if (signal) enter(signal, signal === "agent" ? message.agent : null);
    // A bot whose session has ended is back without a word about it.
    else if (message.who === "bot" && ["waiting", "agent"].includes(talk)) enter("back");
    return message;
  }

  /** Ask what was said so far, and have it drawn anew. What is said meanwhile comes after it. */
  const restore = () => (restoring = restoring.then(ask));
  async function ask() {
    meanwhile = [];
    const said = await getSaid();
    if (said === undefined) end();
    if (said) {
      shown.clear();
      if (talk !== "over") [talk, agent] = ["bot", null];
      replays = true;
      const messages = said.map(take).filter(Boolean);
      const there = messages.filter(({ who }) => who === "you").map(({ id }) => id);
      pending = pending.filter((id) => !there.includes(id));
      replays = false;
      onSaid(messages, [...pending]);
    }
    up = socket.connected;
    if (talk === "over") end();
    else tell();
    const last = JSON.stringify((said ?? []).slice(-5));
    const missed = meanwhile.filter((raw) => !last.includes(JSON.stringify(raw)));
    meanwhile = null;
    missed.forEach(hear);
  }

  function hear(raw) {
    const message = take(raw);
    if (message) onMessage({ ...message, answers: pending[0] });
  }

  socket.on("connect", restore);
  socket.on("disconnect", () => {
    up = false;
    if (talk === "over") end();
    else tell();
  });
  socket.on("connect_error", () => {
    up ??= false;
    freshUntil = 0;
    if (ended) return;
    if (!socket.active) setTimeout(() => ended || socket.connect(), PAUSE);
    tell();
  });
  socket.on("bot_uttered", (raw, acknowledge) => {
    if (meanwhile) meanwhile.push(raw);
    else hear(raw);
    acknowledge?.();
  });

  return {
    /**
     * Send what the customer said, or the `payload` of a button that reads so; "" lets the bot begin. Returns the id
     * under which this turn stands in Rasa's tracker, in the log of the action server and in that of PS7.
     */
    say(text, payload) {
      const id = crypto.randomUUID();
      pending.push(id);
      sending = sending.then(async () => {
        // Whoever was handed over arrives by a new login, and not by the next word to an agent.
        const brought = talk === "bot" ? { pass: await fresh() } : {};
        // Rasa acknowledges a message when its turn is over, after everything that the bot said.
        socket.emit("user_uttered", { message: text, payload, id, ...brought }, async (answer) => {
          pending = pending.filter((other) => other !== id);
          await (answer?.refused ? onRefused : onOver)(id);
          if (talk === "over" && !pending.length) end();
        });
      });
      return id;
    },
    restore,
    close: () => socket.close(),
  };
}
