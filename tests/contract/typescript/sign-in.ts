// What an app does with the generated client before anybody is signed in: begin, and know what the next step needs.
import createClient from "openapi-fetch";
import type { components, paths } from "./patient.js";

declare const process: { env: Record<string, string | undefined> };

type Form = components["schemas"]["ChallengeForm"];
type Step = components["schemas"]["OAuthErrorAnswer"];

const given = (name: string): string => process.env[name] ?? "";
const client = createClient<paths>({ baseUrl: given("API") });
const form: Form = {
  client_id: "continuum-app",
  response_type: "code",
  code_challenge: given("CHALLENGE"),
  code_challenge_method: "S256",
  activation_code: given("CODE"),
};

const begun = await client.POST("/oauth/authorize-challenge", {
  params: { header: { DPoP: given("PROOF") } },
  body: form,
  headers: { "Content-Type": "application/x-www-form-urlencoded" },
});
if (!begun.error) throw new Error("signed in by a code alone");
const step: Step = begun.error;
console.log(JSON.stringify([step.error, Boolean(step.auth_session), Boolean(step.passkey_creation), step.retry]));
