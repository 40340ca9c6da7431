// What both clients of this folder share: the server's metadata, keys from JWKs, and one retry with the server's nonce.
import { webcrypto } from "node:crypto";
import * as oauth from "oauth4webapi";

globalThis.crypto ??= webcrypto;

export const input = JSON.parse(process.env.INPUT);
// The tests serve on loopback, without TLS.
export const plain = { [oauth.allowInsecureRequests]: true };

export function same(found, wanted, what) {
  if (JSON.stringify(found) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(found)}`);
}

export async function server() {
  const issuer = new URL(input.issuer);
  const answer = await oauth.discoveryRequest(issuer, { algorithm: "oauth2", ...plain });
  return oauth.processDiscoveryResponse(issuer, answer);
}

export async function resource(path) {
  const identifier = new URL(path, input.issuer);
  const answer = await oauth.resourceDiscoveryRequest(identifier, plain);
  return oauth.processResourceDiscoveryResponse(identifier, answer);
}

export async function privateKey(jwk, algorithm) {
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
  return { key, kid: jwk.kid };
}

// The answer of `ask`, asked again where the first is that a nonce is needed; and how often it was asked.
export async function withNonce(ask) {
  try {
    return { answer: await ask(), asked: 1 };
  } catch (error) {
    if (!oauth.isDPoPNonceError(error)) throw error;
    return { answer: await ask(), asked: 2 };
  }
}

export async function refused(promise, code) {
  try {
    await promise;
  } catch (error) {
    const found = error.error ?? error.cause?.[0]?.parameters?.error;
    if (found === code) return;
    throw error;
  }
  throw new Error(`not refused: ${code}`);
}
