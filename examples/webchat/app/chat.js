// The conversation with the bot, over Rasa's socketio channel. This file is all that a page of your
// own needs: it draws nothing.

import { io } from "./socket.io.js";

/** Milliseconds for which an arrival is sent along as it is: less than a token is valid. */
const FRESH = 30_000;

/**
 * Open a conversation.
 *
 * `rasa` is the address of the Rasa server. `arrive(conversation)` asks your back-end, which knows who
 * is logged in here, for the metadata of that conversation: an object with the `contextId` in it, or
 * null if the back-end does not answer. It is asked again before a message if the last answer is old.
 * `onMessage(text, correlation, replies)` gets what the bot says, which message it answers (undefined:
 * none), and the answers that it suggests, each with `title` and `payload`. `onOver(correlation)` is told
 * when the bot has nothing more to say to a message, `onBroken(correlation)` that nobody knows whether it
 * arrived; `onConnection(up)`, when one can talk and when not.
 *
 * `onLeft(why)` is told that the customer is no longer there: they logged out (`ended`), an agent
 * talks to them (`handed_over`; `returned` once the bot is back), or the connection broke under a
 * message, which may have been a goodbye (`unsure`). **From then on nobody arrives here by themselves**, whatever the network does: on
 * a shared device it may be somebody else's turn. Let a button open another conversation, once your
 * back-end knows who is there.
 *
 * The conversation is the socket: its id is Rasa's `sender_id`. A socket that breaks and comes back is
 * a new conversation; its customer arrives anew, unless they have left.
 */
export function openChat({ rasa, arrive, onMessage, onOver, onBroken, onLeft, onConnection }) {
  // One WebSocket and no HTTP before it: so no CORS, and no sticky sessions behind a load balancer.
  const socket = io(rasa, { transports: ["websocket"], forceNew: true, timeout: 5_000 });
  const unanswered = []; // correlation ids, oldest first: Rasa takes one message after the other
  let metadata = {};
  let freshUntil = 0;
  let left = null; // why the customer is no longer there
  let sending = Promise.resolve();

  /** Ask who arrives in this conversation. What a socket that broke meanwhile was told is dropped. */
  async function freshen(conversation) {
    const arrived = await arrive(conversation);
    if (left || arrived === null || conversation !== socket.id) return;
    metadata = arrived;
    freshUntil = Date.now() + FRESH;
  }

  function leave(why) {
    metadata = {};
    if (left && why !== "returned") return; // whatever comes later, nobody arrives any more
    left = why;
    onLeft(why);
  }

  socket.on("connect", async () => {
    const conversation = socket.id;
    if (!left) await freshen(conversation);
    if (conversation === socket.id) onConnection(true);
  });
  socket.on("disconnect", () => {
    metadata = {};
    freshUntil = 0;
    if (unanswered.length) leave("unsure");
    unanswered.splice(0).forEach(onBroken);
    onConnection(false);
  });
  socket.on("connect_error", () => onConnection(false));
  socket.on("bot_uttered", (message) => {
    if (message.text) onMessage(message.text, unanswered[0], message.quick_replies ?? []);
    if (message.conversation) leave(message.conversation); // `custom` of a response: domain/bot.yml
  });

  return {
    /**
     * Send what the customer said. The metadata goes along each time: the plugin asks PS7 again only
     * if it has to. Gives the id of the conversation, and the correlation id under which this turn
     * stands in Rasa's tracker, in the log of the action server and in that of PS7.
     */
    say(text) {
      const conversation = socket.id;
      const correlation = crypto.randomUUID();
      unanswered.push(correlation);
      sending = sending.then(async () => {
        if (!left && Date.now() > freshUntil) await freshen(conversation);
        if (conversation !== socket.id) return; // it broke: `onBroken` was told
        const message = { message: text, metadata: { ...metadata, correlationId: correlation } };
        // Rasa acknowledges a message when its turn is over, after everything that the bot said.
        socket.emit("user_uttered", message, () => {
          unanswered.splice(0, unanswered.indexOf(correlation) + 1).forEach(onOver);
        });
      });
      return { conversation, correlation };
    },
    close: () => socket.close(),
  };
}
