import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { LightMyRequestResponse } from 'fastify';
import type { Passkey } from '../src/schemas/user.ts';
import { type SignedIn, signedIn } from './people.ts';
import type { TestApp } from './test-app.ts';

export const ORIGIN = 'http://localhost:3000';
const RP_ID = 'localhost';

const b64 = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64url');
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest();

/** What an attacker can change of an answer. The defaults are those of an honest browser. */
export interface Forgery {
  origin?: string;
  rpId?: string;
  type?: string;
  /** User present, user verified, and the backup flags (WebAuthn section 6.1). */
  flags?: number;
  crossOrigin?: boolean;
  challenge?: string;
  /** The ID of the user whom the answer names. */
  user?: string;
  id?: string;
  counter?: number;
  /** Of another authenticator. */
  signedBy?: KeyObject;
  attestation?: Buffer;
}

const PRESENT = 0x01;
export const VERIFIED = 0x04;
/** The passkey can be, and is, on several devices. */
export const SYNCED = 0x18;
const ATTESTED = 0x40;

/** CBOR (RFC 8949) of a public key as COSE has it. */
function coseOf(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const bytes = (text: string) => Buffer.from(text, 'base64url');
  return Buffer.concat([
    Buffer.from('a5010203262001215820', 'hex'),
    bytes(x),
    Buffer.from('225820', 'hex'),
    bytes(y),
  ]);
}

/** An authenticator in software, with one passkey of one user. */
export class SoftAuthenticator {
  readonly keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  id: string;
  user = '';
  counter = 0;
  flags = PRESENT | VERIFIED;

  constructor(id = b64(randomBytes(16))) {
    this.id = id;
  }

  #clientData(type: string, challenge: string, forgery: Forgery): Buffer {
    const { origin = ORIGIN, crossOrigin = false } = forgery;
    return Buffer.from(
      JSON.stringify({
        type: forgery.type ?? type,
        challenge: forgery.challenge ?? challenge,
        origin,
        crossOrigin,
      }),
    );
  }

  #data({ rpId = RP_ID, flags = this.flags, counter = this.counter }: Forgery, more = 0): Buffer {
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([sha256(rpId), Buffer.from([flags | more]), count]);
  }

  /** What `navigator.credentials.create()` answers, as JSON. */
  create(
    options: { challenge: string; user: { id: string } },
    forgery: Forgery = {},
  ): Record<string, unknown> {
    this.user = Buffer.from(options.user.id, 'base64url').toString();
    const id = Buffer.from(this.id, 'base64url');
    const length = Buffer.alloc(2);
    length.writeUInt16BE(id.length);
    const data = Buffer.concat([
      this.#data(forgery, ATTESTED),
      Buffer.alloc(16),
      length,
      id,
      coseOf(this.keys.publicKey),
    ]);
    const size = Buffer.alloc(2);
    size.writeUInt16BE(data.length);
    const statement =
      forgery.attestation ??
      Buffer.concat([Buffer.from('63666d74646e6f6e656761747453746d74a0', 'hex')]);
    const attestationObject = Buffer.concat([
      Buffer.from('a3', 'hex'),
      statement,
      Buffer.from('68617574684461746159', 'hex'),
      size,
      data,
    ]);
    return {
      id: this.id,
      rawId: this.id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: {
        clientDataJSON: b64(this.#clientData('webauthn.create', options.challenge, forgery)),
        attestationObject: b64(attestationObject),
        transports: ['internal'],
      },
    };
  }

  /** What `navigator.credentials.get()` answers, as JSON. */
  get({ challenge }: { challenge: string }, forgery: Forgery = {}): Record<string, unknown> {
    const clientData = this.#clientData('webauthn.get', challenge, forgery);
    const data = this.#data(forgery);
    const signature = sign(
      'sha256',
      Buffer.concat([data, sha256(clientData)]),
      forgery.signedBy ?? this.keys.privateKey,
    );
    const id = forgery.id ?? this.id;
    return {
      id,
      rawId: id,
      type: 'public-key',
      authenticatorAttachment: 'platform',
      clientExtensionResults: {},
      response: {
        clientDataJSON: b64(clientData),
        authenticatorData: b64(data),
        signature: b64(signature),
        userHandle: b64(forgery.user ?? this.user),
      },
    };
  }
}

interface Options {
  challenge: string;
  user: { id: string };
  excludeCredentials: { id: string }[];
}

/** Options to use a passkey. `email`: of this account. */
export async function requested(
  { post }: Pick<TestApp, 'post'>,
  email?: string,
): Promise<{ challenge: string }> {
  const answer = await post('/v1/login/passkey/options', { ...(email && { email }) });
  return answer.json<{ options: Options }>().options;
}

/** Options to make a passkey. */
export async function offered({ as }: Pick<TestApp, 'as'>, token: string): Promise<Options> {
  const request = { method: 'POST', url: '/v1/me/passkeys/options', payload: {} } as const;
  return (await as(token, request)).json<{ options: Options }>().options;
}

export const add = (
  { as }: Pick<TestApp, 'as'>,
  token: string,
  passkey: object,
  name = 'My phone',
): Promise<LightMyRequestResponse> =>
  as(token, { method: 'POST', url: '/v1/me/passkeys', payload: { passkey, name } });

/** Adds the passkey of this authenticator to the account of a session. */
export async function enrolled(
  app: Pick<TestApp, 'as'>,
  token: string,
  authenticator = new SoftAuthenticator(),
): Promise<SoftAuthenticator> {
  const options = await offered(app, token);
  const answer = await add(app, token, authenticator.create(options));
  if (answer.statusCode !== 201) throw new Error(answer.payload);
  return authenticator;
}

export interface PasskeyOwner extends SignedIn {
  passkey: SoftAuthenticator;
}

/** A passkey as the row has it, with which nobody can sign in. */
export const storedPasskey = (id: string): Passkey => ({
  id,
  public_key: 'key',
  counter: 0,
  transports: ['internal'],
  name: 'My phone',
  backed_up: true,
  created_at: 0,
  used: [],
});

/** A person with a proven mailbox and one passkey. */
export async function withPasskey(
  app: Pick<TestApp, 'as' | 'context'>,
  email: string,
  changes: Parameters<typeof signedIn>[2] = {},
): Promise<PasskeyOwner> {
  const person = await signedIn(app, email, { email_verified_at: app.context.clock(), ...changes });
  return { ...person, passkey: await enrolled(app, person.access_token) };
}

export const signInWith = (
  { post }: Pick<TestApp, 'post'>,
  passkey: object,
  more: object = {},
): Promise<LightMyRequestResponse> => post('/v1/login/passkey', { passkey, ...more });
