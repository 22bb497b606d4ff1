import type { OAuthErrorCode } from '../schemas/oauth.ts';

/** The endpoints of RFC 6749, 7009 and 7662 say no in that RFC's own words. */
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
