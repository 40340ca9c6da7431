// A patient's app: from the code of the challenge to tokens, a read, a refresh, a wrong clock, and out again.
import * as oauth from "oauth4webapi";
import { input, plain, refused, resource, same, server, withNonce } from "./sides.js";

const as = await server();
const api = await resource("/v1/me");
same(api.authorization_servers, [as.issuer], "authorization servers");
same(api.dpop_bound_access_tokens_required, true, "bound tokens");

const curve = { name: "ECDSA", namedCurve: "P-256" };
const { d, ...point } = input.key;
const keys = {
  privateKey: await crypto.subtle.importKey("jwk", { ...point, d }, curve, false, ["sign"]),
  publicKey: await crypto.subtle.importKey("jwk", point, curve, true, ["verify"]),
};
const app = { client_id: input.client_id };
const DPoP = oauth.DPoP(app, keys);
const me = new URL("/v1/me", input.issuer);

const read = (tokens, proofs) =>
  withNonce(() => oauth.protectedResourceRequest(tokens.access_token, "GET", me, new Headers(), null, { DPoP: proofs, ...plain }));

// The exchange has no redirect_uri, since there was no redirect (OAuth for First-Party Apps §6).
const form = { code: input.code, code_verifier: input.verifier };
const ask = (parameters) =>
  oauth.genericTokenEndpointRequest(as, app, oauth.None(), "authorization_code", parameters, { DPoP, ...plain });
const tokens = await oauth.processGenericTokenEndpointResponse(as, app, await ask(form));
same(tokens.token_type, "dpop", "token type");

const first = await read(tokens, DPoP);
same([first.answer.status, first.asked], [200, 1], "a read");

// The library judges our token by RFC 9068 and the proof beside it by RFC 9449.
const headers = new Headers({ authorization: `DPoP ${tokens.access_token}` });
await DPoP.addProof(me, headers, "GET", tokens.access_token);
const claims = await oauth.validateJwtAccessToken(as, new Request(me, { headers }), api.resource, { requireDPoP: true, ...plain });
same(claims.cnf.jkt, await DPoP.calculateThumbprint(), "the key in the token");
same(claims.client_id, app.client_id, "the client in the token");

const renewed = async (held, proofs) => {
  const options = { DPoP: proofs, ...plain };
  return withNonce(async () =>
    oauth.processRefreshTokenResponse(
      as, app, await oauth.refreshTokenGrantRequest(as, app, oauth.None(), held.refresh_token, options),
    ),
  );
};
const second = (await renewed(tokens, DPoP)).answer;
if (second.refresh_token === tokens.refresh_token) throw new Error("the refresh token did not change");

// The phone's clock is an hour fast: the server asks for a nonce, once at sign-in and once at the API.
const fast = oauth.DPoP({ ...app, [oauth.clockSkew]: 3600 }, keys);
const third = await renewed(second, fast);
same(third.asked, 2, "a refresh by a wrong clock");
const again = await read(third.answer, fast);
same([again.answer.status, again.asked], [200, 2], "a read by a wrong clock");

// Another phone's key opens nothing.
const stolen = oauth.DPoP(app, await oauth.generateKeyPair("ES256"));
await refused(read(third.answer, stolen), "invalid_dpop_proof");

await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, app, oauth.None(), third.answer.refresh_token, plain),
);
await refused(read(third.answer, fast), "invalid_token");
await refused(renewed(third.answer, fast), "invalid_grant");
console.log(JSON.stringify({ scope: tokens.scope, revoked: third.answer.access_token }));
