// What the channel sends, made ready to be shown. Whatever a bot may send is shown, or named.

const list = (value) => (Array.isArray(value) ? value : value === undefined || value === null ? [] : [value]);
const object = (value) => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {});
const text = (value) => (typeof value === "string" || typeof value === "number" ? String(value) : "");

/** Return an address that a page may load or link to, else "". */
function address(value) {
  try {
    const url = new URL(text(value));
    return ["http:", "https:"].includes(url.protocol) ? url.href : "";
  } catch {
    return "";
  }
}

/**
 * Return a message with
 *
 * - `who`: `you`, `bot`, `agent` (a person, whose name is `agent`), or `desk` (what it tells of the conversation)
 * - `text`, with its line ends
 * - `replies`: what can be pressed, each with `title` and `payload`
 * - `cards`: pictures, files and the like, each with `kind` (`image`, `video`, `audio`, `file`, `card`, `unknown`), and what
 *   there is of `title`, `subtitle`, `image`, `url`, `links` and `replies`
 * - `signal`: what the bot tells the page, in `custom` of a response
 * - `id`: of what the customer or an agent's desk said
 */
export function read(raw) {
  const message = object(raw);
  if ("you" in message) return { who: "you", text: text(message.you), replies: [], cards: [], id: message.id };
  const custom = "custom" in message ? message.custom : "conversation" in message ? { data: message } : undefined;
  const data = object(object(custom).data);
  const signal = text(data.conversation);
  const attached = list(message.attachment).flatMap(cards);
  if (custom !== undefined && !("conversation" in data)) attached.push({ kind: "unknown" });
  const agent = text(message.agent) || text(data.agent);
  const desk = "id" in message;
  return {
    who: !desk ? "bot" : signal || !agent ? "desk" : "agent",
    text: text(message.text),
    replies: replies(message.quick_replies),
    cards: attached,
    signal,
    agent,
    ...(desk && { id: message.id }),
  };
}

/** What can be pressed. A button without a payload says its title. */
function replies(value) {
  return list(value)
    .map(object)
    .map(({ title, payload }) => ({ title: text(title), payload: text(payload) }))
    .filter(({ title }) => title);
}

function cards(attachment) {
  const { type, payload } = object(attachment);
  const { src, url, title, alt, elements } = object(payload);
  if (elements !== undefined) return list(elements).map(card);
  const there = address(src) || address(url) || address(payload) || address(attachment);
  if (!there) return [{ kind: "unknown" }];
  const kind = ["image", "video", "audio"].includes(type) ? type : "file";
  return [{ kind, title: text(title) || text(alt), [kind === "image" ? "image" : "url"]: there }];
}

/** One of a carousel. */
function card(element) {
  const { title, subtitle, image_url: image, item_url: url, default_action: action, buttons } = object(element);
  const links = list(buttons).map(object).filter(({ url: to }) => address(to));
  return {
    kind: "card",
    title: text(title),
    subtitle: text(subtitle),
    image: address(image),
    url: address(url) || address(object(action).url),
    links: links.map(({ title: name, url: to }) => ({ title: text(name) || address(to), url: address(to) })),
    replies: replies(list(buttons).filter((button) => !address(object(button).url))),
  };
}
