import { base64url } from './base64url.ts';

/** Options as the service sends them (WebAuthn sections 5.1.8 and 5.1.9): bytes are base64url. */
export interface OptionsJson {
  challenge: string;
  user?: { id: string };
  excludeCredentials?: { id: string }[];
}

const bytesOf = (text: string) =>
  Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (letter) =>
    letter.charCodeAt(0),
  );

/** Not `parseCreationOptionsFromJSON`, which browsers of 2024 lack. */
export const optionsOf = ({ challenge, user, excludeCredentials, ...others }: OptionsJson) => ({
  ...others,
  challenge: bytesOf(challenge),
  ...(user && { user: { ...user, id: bytesOf(user.id) } }),
  ...(excludeCredentials && {
    excludeCredentials: excludeCredentials.map((each) => ({ ...each, id: bytesOf(each.id) })),
  }),
});

/** What the authenticator has answered. */
export interface Answer {
  id: string;
  rawId: ArrayBuffer;
  type: string;
  response: Record<string, ArrayBuffer | null> & { getTransports?(): string[] };
}

const PARTS = [
  'clientDataJSON',
  'attestationObject',
  'authenticatorData',
  'signature',
  'userHandle',
];

/** Not `toJSON`, which some password managers break. */
export const jsonOf = ({ id, rawId, type, response }: Answer) => ({
  id,
  rawId: base64url(rawId),
  type,
  response: {
    ...Object.fromEntries(
      PARTS.flatMap((part) => {
        const bytes = response[part];
        return bytes ? [[part, base64url(bytes)]] : [];
      }),
    ),
    ...(response.getTransports && { transports: response.getTransports() }),
  },
});
