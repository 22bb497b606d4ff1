/** WebAuthn section 5.8.1. */
export type Ceremony = 'webauthn.get' | 'webauthn.create';

/** The members of the client data that are read before the library checks all of them. */
interface ClientData {
  type?: unknown;
  challenge?: unknown;
  crossOrigin?: unknown;
}

function parsed(clientDataJSON: string): ClientData {
  try {
    return JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()) ?? {};
  } catch {
    return {};
  }
}

/**
 * The text that was sent as the challenge; undefined if there is none, for another ceremony, or if the page was in a frame
 * of another site: our pages are never framed (WebAuthn section 13.4.2).
 */
export function challengeIn(clientDataJSON: string, ceremony: Ceremony): string | undefined {
  const { type, challenge, crossOrigin } = parsed(clientDataJSON);
  return type === ceremony && typeof challenge === 'string' && crossOrigin !== true
    ? Buffer.from(challenge, 'base64url').toString()
    : undefined;
}
