// Another organisation's system: it proves itself by its key, asks what its token is worth, and ends it.
import * as oauth from "oauth4webapi";
import { input, plain, privateKey, refused, resource, same, server } from "./sides.js";

const as = await server();
const api = await resource(input.resource);
const client = { client_id: input.client_id };
const signer = await privateKey(input.key, input.algorithm);
const proof = () => oauth.PrivateKeyJwt(signer);

const granted = async (proved, scope) =>
  oauth.processClientCredentialsResponse(
    as, client, await oauth.clientCredentialsGrantRequest(as, client, proved, { scope }, plain),
  );
const tokens = await granted(proof(), input.scope);
same([tokens.token_type, tokens.expires_in, tokens.scope], ["bearer", 300, input.scope], "the grant");

const headers = new Headers({ authorization: `Bearer ${tokens.access_token}` });
const claims = await oauth.validateJwtAccessToken(as, new Request(api.resource, { headers }), api.resource, plain);
same([claims.sub, claims.client_id], [client.client_id, client.client_id], "the token's subject");

const told = async (token) =>
  oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, proof(), token, plain));
const said = await told(tokens.access_token);
same([said.active, said.sub, said.scope], [true, client.client_id, input.scope], "introspection");

await refused(granted(proof(), "me:read"), "invalid_scope");
const stranger = await oauth.generateKeyPair("ES384");
await refused(granted(oauth.PrivateKeyJwt({ key: stranger.privateKey, kid: input.key.kid }), input.scope), "invalid_client");

await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, proof(), tokens.access_token, plain));
same(await told(tokens.access_token), { active: false }, "introspection of a revoked token");
