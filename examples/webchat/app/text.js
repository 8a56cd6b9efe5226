// What a customer's text is: as in examples/channels/customer_text.py, whose cases this file keeps.

/** Characters of a text, at most: the channel refuses more. */
export const LONGEST = 2_000;
// White space as Python has it: JavaScript's \s lacks some of it, and has a byte order mark too many.
const WHITE = "[\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";
const FRONT = new RegExp(`^(?:${WHITE}|/)+`);
const END = new RegExp(`${WHITE}+$`);

/** Return what was typed as the bot may have it: to Rasa, a slash at its front would begin a command. */
export const customerText = (typed) => typed.replace(FRONT, "").replace(END, "");

/** Return by how many characters a text is too long, 0 if it is not. */
export const tooLong = (text) => Math.max([...text].length - LONGEST, 0);
