import { z } from 'zod';
import { Resource, Token } from './fields.ts';
import { TransportChoice } from './session.ts';
import { SLOTS, type Slot } from './slots.ts';

export const Provider = z
  .enum(SLOTS)
  .meta({ id: 'Provider', description: 'An outside provider: the number in `OIDC_1_ISSUER`.' });

/** In a path, where one that is not there is not found. */
export const ProviderPath = z.object({
  provider: z.string().describe('The number of the provider: 1 to 4.'),
});

const ReturnTo = z
  .string()
  .max(1_000)
  .describe(
    'Where the browser goes then: a path, or a URL of an origin that may call with cookies.',
  );

export const RedirectQuery = z.strictObject({ return_to: ReturnTo.optional() });

const ID_TOKEN = 'eyJhbGciOiJSUzI1NiIsImtpZCI6Ii4uLiJ9.e30.c2ln';
const NONCE_TOKEN = 'eyJhbGciOiJIUzI1NiIsInR5cCI6Im5vbmNlK2p3dCIsImtpZCI6Ii4uLiJ9.e30.c2ln';

const idTokenFields = {
  provider: Provider,
  id_token: z.string().min(1).max(8_192).describe('As the provider has given it to your app.'),
  nonce_token: Token.describe('The one that came with the nonce of the ID token.'),
};

export interface GivenIdToken {
  provider: Slot;
  id_token: string;
  nonce_token: string;
}

export const NonceRequest = z.strictObject({ provider: Provider }).meta({
  id: 'NonceRequest',
  description: 'The provider whose ID token the app will get.',
  examples: [{ provider: '1' }],
});

export const NonceAnswer = z
  .object({
    nonce: z.string().describe('Ask the provider for an ID token with exactly this `nonce`.'),
    nonce_token: z.string().describe('Send it with that ID token.'),
    expires_in: z.int().min(0).describe('Seconds.'),
  })
  .meta({
    id: 'Nonce',
    description: 'For one ID token.',
    examples: [{ nonce: 'q83vEjRWeJCrze8SNFZ4kA', nonce_token: NONCE_TOKEN, expires_in: 600 }],
  });

export const IdTokenSignIn = z
  .strictObject({
    ...idTokenFields,
    transport: TransportChoice,
    device_token: Token.optional().describe('The one from an earlier sign-in on this device.'),
    resource: Resource.optional(),
  })
  .meta({
    id: 'IdTokenSignIn',
    description: 'What Sign in with Apple or Google has given to an app.',
    examples: [{ provider: '1', id_token: ID_TOKEN, nonce_token: NONCE_TOKEN }],
  });

export const IdTokenLink = z.strictObject(idTokenFields).meta({
  id: 'IdTokenLink',
  description: 'An ID token of the account to be linked.',
  examples: [{ provider: '1', id_token: ID_TOKEN, nonce_token: NONCE_TOKEN }],
});

export const LinkRequest = z.strictObject({ return_to: ReturnTo.optional() }).meta({
  id: 'LinkRequest',
  description: 'Where to go afterwards.',
  examples: [{ return_to: '/account' }],
});

export const LinkRedirect = z
  .object({ url: z.string().describe('Open it in this browser, within ten minutes.') })
  .meta({
    id: 'LinkRedirect',
    description: 'Where the user signs in.',
    examples: [{ url: 'https://accounts.example.com/auth?client_id=...' }],
  });

const viewSample = { provider: '1', name: 'Google', linked: true };

export const IdentityView = z
  .object({
    provider: Provider,
    name: z.string(),
    linked: z.boolean().describe('Whether your account there signs in here.'),
  })
  .meta({ id: 'Identity', description: 'An outside provider.', examples: [viewSample] });
export type IdentityView = z.infer<typeof IdentityView>;

export const Identities = z.object({ identities: z.array(IdentityView) }).meta({
  id: 'Identities',
  description: 'The outside providers.',
  examples: [{ identities: [viewSample] }],
});

const Parameter = z.string().max(4_096).optional();

/** RFC 6749 section 4.1.2 and RFC 9207. What else a provider sends is not used. */
export const ProviderAnswer = z
  .object({ code: Parameter, state: Parameter, iss: Parameter, error: Parameter })
  .meta({
    id: 'ProviderAnswer',
    description: 'What the provider sends with the browser. Other members are ignored.',
    examples: [{ code: 'c0de', state: 'q83vEjRWeJCrze8SNFZ4kA' }],
  });
