import type { OAuthErrorCode } from '../schemas/oauth.ts';

/** An error answer of the OAuth endpoints, with a code of RFC 6749 or 7009. */
export class OAuthRefusal extends Error {
  readonly code: OAuthErrorCode;
  /** Public. */
  readonly description: string;

  constructor(code: OAuthErrorCode, description: string) {
    super(code);
    this.code = code;
    this.description = description;
  }
}
