import type { Registration } from '../../schemas/webauthn.ts';

/** As the library decodes it. */
type Decode = (bytes: Uint8Array<ArrayBuffer>) => { get(key: 'authData'): Uint8Array };

/** CBOR (RFC 8949) of `{ fmt: "none", attStmt: {}, authData: … }`, up to the length of the last. */
const NONE = Buffer.from('a363666d74646e6f6e656761747453746d74a068617574684461746159', 'hex');

/**
 * The registration without its attestation statement, which nobody asked for. A stranger chooses what is in it: to verify
 * it, the library would fetch revocation lists from the addresses in its certificates. Throws if it is no CBOR.
 */
export function withoutAttestation(registration: Registration, decode: Decode): Registration {
  const { attestationObject } = registration.response;
  const data = decode(Buffer.from(attestationObject, 'base64url')).get('authData');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(data.length);
  const bare = Buffer.concat([NONE, length, data]).toString('base64url');
  return { ...registration, response: { ...registration.response, attestationObject: bare } };
}
