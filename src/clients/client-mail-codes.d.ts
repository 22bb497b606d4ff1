import type { Challenge, Client } from './client.d.ts';

/** A code that is on its way by mail, if the address has an account. Keep it in the page or app that asked. */
export interface SentCode {
  code_token: string;
  /** Seconds. */
  expires_in: number;
}

/** What the service refuses is a LatchkeyError, such as one with the code `mail_code_refused`. */
export interface MailCodes {
  /** Mails a code of eight digits, three times an hour, and then once every ten minutes at most. */
  send(email: string): Promise<SentCode>;
  /** Signs in with the code of the mail, or resolves to a challenge, as `client.login`. */
  signIn(sent: SentCode, code: string): Promise<Challenge | undefined>;
}

/** Codes by mail with a client of `/client.js`. */
export declare function createMailCodes(client: Client): MailCodes;
