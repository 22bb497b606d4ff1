import type { CDPSession, Page } from 'playwright-core';

export interface VirtualAuthenticator {
  /** How many passkeys it has. */
  count(): Promise<number>;
  /** Whether its user touches it and is recognised when a page asks. */
  answers(isWilling: boolean): Promise<void>;
  /** Forgets its passkeys, as a new device. */
  clear(): Promise<void>;
}

/** An authenticator of the device in Chromium (WebAuthn section 11), for the pages of this tab. */
export async function virtualAuthenticator(page: Page): Promise<VirtualAuthenticator> {
  const cdp: CDPSession = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  const credentials = async () =>
    (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
  return {
    count: async () => (await credentials()).length,
    answers: async (isWilling) => {
      await cdp.send('WebAuthn.setAutomaticPresenceSimulation', {
        authenticatorId,
        enabled: isWilling,
      });
    },
    clear: async () => {
      await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
    },
  };
}
