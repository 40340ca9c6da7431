// Verifies webhooks from standard input, one `{secret, headers, body}` each, as a receiver written in JavaScript does.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const told = JSON.parse(readFileSync(0, "utf8")).map(({ secret, headers, body }) => {
  try {
    return new Webhook(secret).verify(body, headers);
  } catch (error) {
    return error.message;
  }
});
console.log(JSON.stringify(told));
