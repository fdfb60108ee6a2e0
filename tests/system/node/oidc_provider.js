// The OpenID provider `oidc-provider` with the clients of the file CLIENTS, and functions that it protects.
//
//   POST /token              the token endpoint; `audience` names the API, as Auth0 has it, and is required
//   POST /function/NAME      204 with a valid token for the audience urn:NAME of the right client, else 401
//   GET /calls/NAME          what came there: [{token, status}]
//   GET /requests/CLIENT     the client's successful and refused token requests: [{status, error}]
//   POST /revoke             destroys all opaque tokens
//   POST /rotate             new signing keys: JWTs of the old ones are refused
//
// Clients have `audience_format` (opaque or jwt) and `life_s` beside the provider's own members.
const http = require('node:http');
const fs = require('node:fs');
const { Provider } = require('oidc-provider');
const jose = require('jose');

const url = `http://127.0.0.1:${process.env.PORT}`;
const clients = JSON.parse(fs.readFileSync(process.env.CLIENTS));
const own = Object.fromEntries(
  clients.map(({ client_id, audience_format, life_s }) => [client_id, { audience_format, life_s }]));
const calls = {};
const requests = {};
const tokens = new Set();

const configuration = {
  clients: clients.map(({ audience_format, life_s, ...client }) => ({
    grant_types: ['client_credentials'], redirect_uris: [], response_types: [], ...client,
  })),
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  enabledJWA: { clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
  scopes: ['orders:write'],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: ctx => ctx.oidc.body.audience,
      getResourceServerInfo: (ctx, audience, client) => ({
        audience,
        scope: 'orders:write',
        accessTokenTTL: own[client.clientId].life_s ?? 3600,
        accessTokenFormat: own[client.clientId].audience_format ?? 'opaque',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
};

let provider;
let keys;
let server;

async function start() {
  const { privateKey, publicKey } = await jose.generateKeyPair('RS256', { extractable: true });
  const jwk = { ...(await jose.exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: `key-${Date.now()}` };
  keys = publicKey;
  provider = new Provider(url, { ...configuration, jwks: { keys: [jwk] } });
  provider.on('client_credentials.saved', token => tokens.add(token));
  provider.on('grant.success', ctx => note(requests, ctx.oidc.client.clientId, { status: ctx.status }));
  provider.on('grant.error', (ctx, error) =>
    note(requests, ctx.oidc.client?.clientId ?? 'unknown', { status: error.statusCode, error: error.error }));
  server = provider.callback();
}

function note(table, name, what) {
  (table[name] ??= []).push(what);
}

async function isValid(name, token) {
  const audience = `urn:${name}`;
  const found = await provider.ClientCredentials.find(token);
  if (found !== undefined) {
    return found.isValid && found.clientId === name && found.aud === audience;
  }
  try {
    const { payload } = await jose.jwtVerify(token, keys, { audience, issuer: url });
    return payload.client_id === name && payload.scope === 'orders:write';
  } catch {
    return false;
  }
}

async function serveFunction(name, request, response) {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  const status = scheme === 'Bearer' && (await isValid(name, token)) ? 204 : 401;
  note(calls, name, { token, status });
  response.writeHead(status, status === 401 ? { 'WWW-Authenticate': 'Bearer error="invalid_token"' } : {}).end();
}

function json(response, value) {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(value ?? []));
}

async function serve(request, response) {
  const [, what, name] = request.url.split('/');
  switch (what) {
    case 'function':
      request.resume();
      return serveFunction(name, request, response);
    case 'calls':
      return json(response, calls[name]);
    case 'requests':
      return json(response, requests[name]);
    case 'revoke':
      await Promise.all([...tokens].map(token => token.destroy()));
      tokens.clear();
      return json(response);
    case 'rotate':
      await start();
      return json(response);
    default:
      return server(request, response);
  }
}

start().then(() => http.createServer(serve).listen(process.env.PORT, '127.0.0.1'));
