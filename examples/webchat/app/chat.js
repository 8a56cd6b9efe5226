// The conversation with the bot, over Rasa's socketio channel. This file is all that a page of your
// own needs: it draws nothing.

import { io } from "./socket.io.js";

/**
 * Open a conversation.
 *
 * `rasa` is the address of the Rasa server. `arrive(conversation)` asks your back-end, which knows who
 * is logged in here, for the metadata of that conversation: an object with the `contextId` in it.
 * `onMessage(text, correlation, replies)` gets what the bot says, which message it answers (undefined:
 * none), and the answers that it suggests, each with `title` and `payload`. `onOver(correlation)` is told
 * when the bot has nothing more to say to a message; `onConnection(up)`, when one can talk and when not.
 *
 * The conversation is the socket: its id is Rasa's `sender_id`. A socket that breaks and comes back is
 * a new conversation, and its customer arrives anew.
 */
export function openChat({ rasa, arrive, onMessage, onOver, onConnection }) {
  // One WebSocket and no HTTP before it: so no CORS, and no sticky sessions behind a load balancer.
  const socket = io(rasa, { transports: ["websocket"], forceNew: true });
  const unanswered = []; // correlation ids, oldest first: Rasa takes one message after the other
  let metadata = {};

  socket.on("connect", async () => {
    const conversation = socket.id;
    const arrived = await arrive(conversation);
    if (conversation !== socket.id) return; // it broke in between
    metadata = arrived;
    onConnection(true);
  });
  socket.on("disconnect", () => {
    unanswered.splice(0).forEach(onOver);
    onConnection(false);
  });
  socket.on("connect_error", () => onConnection(false));
  socket.on("bot_uttered", (message) => {
    if (message.text) onMessage(message.text, unanswered[0], message.quick_replies ?? []);
  });

  return {
    /**
     * Send what the customer said. The metadata goes along each time: the plugin asks PS7 again only
     * if it has to. Gives the id of the conversation, and the correlation id under which this turn
     * stands in Rasa's tracker, in the log of the action server and in that of PS7.
     */
    say(text) {
      const correlation = crypto.randomUUID();
      const message = { message: text, metadata: { ...metadata, correlationId: correlation } };
      unanswered.push(correlation);
      // Rasa acknowledges a message when its turn is over, after everything that the bot said.
      socket.emit("user_uttered", message, () => {
        unanswered.splice(0, unanswered.indexOf(correlation) + 1).forEach(onOver);
      });
      return { conversation: socket.id, correlation };
    },
    close: () => socket.close(),
  };
}
