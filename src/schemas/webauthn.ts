import { z } from 'zod';

// The JSON of WebAuthn section 5.1, as browsers send and take it. What this service adds is in `passkey.ts`.

const Bytes = z.string().regex(/^[\w-]+$/, { error: 'must be base64url' });
/** A credential ID has up to 1,023 bytes (WebAuthn section 4). */
const CredentialId = Bytes.max(1_364);

/** What `toJSON()` of a `PublicKeyCredential` gives. Members that are not used here are dropped, as browsers add new ones. */
const credential = <Shape extends z.ZodRawShape>(id: string, response: Shape) =>
  z.object({
    id: CredentialId,
    rawId: CredentialId,
    type: z.literal('public-key'),
    response: z
      .object({ clientDataJSON: Bytes.max(4_096), ...response })
      .meta({ id, description: 'What the authenticator answers.' }),
  });

const CLIENT_DATA = 'eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiLi4uIn0';
const ID = 'Y3JlZGVudGlhbA';

/** WebAuthn section 5.1: the answer to request options. */
export const Assertion = credential('PasskeyAssertionResponse', {
  authenticatorData: Bytes.max(2_048),
  signature: Bytes.max(1_024),
  userHandle: Bytes.max(86),
}).meta({
  id: 'PasskeyAssertion',
  description:
    'What the passkey has signed: `toJSON()` of what `navigator.credentials.get()` answers (WebAuthn section 5.1). Other members are ignored.',
  examples: [
    {
      id: ID,
      rawId: ID,
      type: 'public-key',
      response: {
        clientDataJSON: CLIENT_DATA,
        authenticatorData: 'SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MdAAAAAA',
        signature: 'MEUCIQ',
        userHandle: 'MDE5OTBkNmUtN2MzZi03YTUxLTljNmItMGMxZDJlM2Y0YTVi',
      },
    },
  ],
});
export type Assertion = z.infer<typeof Assertion>;

/** WebAuthn section 5.1: the answer to creation options. */
export const Registration = credential('PasskeyRegistrationResponse', {
  attestationObject: Bytes.max(12_000),
  transports: z
    .array(z.string().regex(/^[a-z-]{1,20}$/))
    .max(10)
    .default([]),
}).meta({
  id: 'PasskeyRegistration',
  description:
    'The new passkey: `toJSON()` of what `navigator.credentials.create()` answers (WebAuthn section 5.1). Other members are ignored.',
  examples: [
    {
      id: ID,
      rawId: ID,
      type: 'public-key',
      response: {
        clientDataJSON: CLIENT_DATA,
        attestationObject: 'o2NmbXQ',
        transports: ['internal'],
      },
    },
  ],
});
export type Registration = z.infer<typeof Registration>;

const Challenge = z.string().describe('Valid for five minutes, and answered once.');
const Timeout = z.int().min(0).describe('Milliseconds.');
const required = z.literal('required');
const key = z.literal('public-key');

const requestSample = {
  challenge: 'ZXlKaGJHY2lPaUpJVXpJMU5pSjk',
  rpId: 'auth.example.com',
  timeout: 300_000,
  userVerification: 'required',
};

export const RequestOptions = z
  .object({ challenge: Challenge, rpId: z.string(), timeout: Timeout, userVerification: required })
  .meta({
    id: 'PasskeyRequestOptions',
    description:
      'For `PublicKeyCredential.parseRequestOptionsFromJSON()` (WebAuthn section 5.1.9).',
    examples: [requestSample],
  });

const rpSample = { id: 'auth.example.com', name: 'Latchkey' };
const userSample = {
  id: 'MDE5OTBkNmUtN2MzZi03YTUxLTljNmItMGMxZDJlM2Y0YTVi',
  name: 'ada@example.com',
  displayName: 'Ada Lovelace',
};
const selectionSample = {
  residentKey: 'required',
  requireResidentKey: true,
  userVerification: 'required',
};
const creationSample = {
  challenge: 'ZXlKaGJHY2lPaUpJVXpJMU5pSjk',
  rp: rpSample,
  user: userSample,
  pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
  timeout: 300_000,
  excludeCredentials: [],
  authenticatorSelection: selectionSample,
  attestation: 'none',
};

export const CreationOptions = z
  .object({
    challenge: Challenge,
    rp: z.object({ id: z.string(), name: z.string() }).meta({
      id: 'PasskeyRelyingParty',
      description: 'The domain that the passkey belongs to.',
      examples: [rpSample],
    }),
    user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }).meta({
      id: 'PasskeyUser',
      description: 'Whose passkey it will be. `id` is the user handle.',
      examples: [userSample],
    }),
    pubKeyCredParams: z.array(
      z.object({ type: key, alg: z.int() }).meta({
        id: 'PasskeyAlgorithm',
        description: 'A signature algorithm of COSE.',
        examples: [{ type: 'public-key', alg: -7 }],
      }),
    ),
    timeout: Timeout,
    excludeCredentials: z.array(
      z.object({ type: key, id: z.string() }).meta({
        id: 'PasskeyDescriptor',
        description: 'A passkey that the user has already.',
        examples: [{ type: 'public-key', id: ID }],
      }),
    ),
    authenticatorSelection: z
      .object({
        residentKey: required,
        requireResidentKey: z.literal(true),
        userVerification: required,
      })
      .meta({
        id: 'PasskeySelection',
        description: 'Which authenticators can make it.',
        examples: [selectionSample],
      }),
    attestation: z.literal('none'),
  })
  .meta({
    id: 'PasskeyCreationOptions',
    description:
      'For `PublicKeyCredential.parseCreationOptionsFromJSON()` (WebAuthn section 5.1.8).',
    examples: [creationSample],
  });
