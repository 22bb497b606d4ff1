import type { Context } from '../../context.ts';
import { Refusal } from '../../rules/refusal.ts';

/**
 * `aud` of an access token for this resource (RFC 8707 section 2), compared letter by letter. Without one, the token is for
 * this service. Refuses with `invalid_target` a resource that is not configured.
 */
export function audienceOf(
  { config }: Pick<Context, 'config'>,
  resource = config.AUDIENCE,
): string {
  if (resource === config.AUDIENCE || config.AUDIENCES.includes(resource)) return resource;
  throw new Refusal('invalid_target');
}
