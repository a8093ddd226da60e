// An OpenID provider for the end-to-end tests: `node provider.mjs PORT`, 0 for any. It listens on loopback, makes new
// keys at each start, prints `ready <port>`, and ends with its standard input. Its one client gets access tokens by the
// client credentials grant (RFC 6749 section 4.4) for the resources below (RFC 8707).
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

import Provider from 'oidc-provider';

// The issuer's name holds the port, so the port comes first.
const server = createServer().listen(Number(process.argv[2]), '127.0.0.1');
await once(server, 'listening');
const { port } = server.address();
const issuer = `http://127.0.0.1:${port}`;
const audience = 'api.example.com';
const scope = 'objects:read objects:create';

const jwt = (alg, seconds) =>
  ({ scope, audience, accessTokenFormat: 'jwt', accessTokenTTL: seconds, jwt: { sign: { alg } } });
const resources = {
  'urn:objects:rs256': jwt('RS256', 300),
  'urn:objects:es256': jwt('ES256', 300),
  'urn:objects:short-lived': jwt('ES256', 3),
  'urn:objects:elsewhere': { ...jwt('ES256', 300), audience: 'other.example.com' },
  'urn:objects:opaque': { scope, audience, accessTokenFormat: 'opaque', accessTokenTTL: 300 },
};

function privateKey(type, options, alg) {
  const { privateKey: key } = generateKeyPairSync(type, options);
  return { ...key.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg };
}

const provider = new Provider(issuer, {
  clients: [{
    client_id: 'reporting',
    client_secret: 'only-known-to-this-test',
    grant_types: ['client_credentials'],
    redirect_uris: [],
    response_types: [],
  }],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, resource) => resources[resource],
    },
  },
  jwks: {
    keys: [
      privateKey('rsa', { modulusLength: 2048 }, 'RS256'),
      privateKey('ec', { namedCurve: 'P-256' }, 'ES256'),
    ],
  },
  scopes: scope.split(' '),
});

server.on('request', provider.callback());
console.log(`ready ${port}`);
process.stdin.resume().on('end', () => process.exit(0));
