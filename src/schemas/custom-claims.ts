import { z } from 'zod';
import { isRegistered } from './registered-claims.ts';

/** Bytes of all custom claims of a user, as JSON in UTF-8: the form in which they are in the token. */
export const MAX_CLAIMS_SIZE = 256;

/** How many lists and objects may stand in each other below a claim. */
const MAX_DEPTH = 3;

/** Letters and digits, and what a URI needs: RFC 7519 section 4.2 recommends one as a name that nobody else uses. */
const NAME = /^[A-Za-z][\w.:/~-]*$/;

const isInherited = (name: string): boolean => name in Object.prototype;

/** Whether the custom claim may have this name. */
export const isCustomName = (name: string): boolean =>
  NAME.test(name) && !isInherited(name) && !isRegistered(name);

/** Larger integers have already lost digits: `JSON.parse` rounds them. */
const isExact = (value: number): boolean =>
  Number.isInteger(value) ? Number.isSafeInteger(value) : Number.isFinite(value);

/** What is wrong with the value of a claim. `room`: how many lists and objects may still stand in each other. */
function faultOfValue(value: unknown, room = MAX_DEPTH): string | undefined {
  if (value === null || typeof value === 'boolean') return undefined;
  if (typeof value === 'string')
    return value.isWellFormed() ? undefined : 'must be well-formed Unicode text';
  if (typeof value === 'number')
    return isExact(value) ? undefined : 'must be a number that JSON keeps: send it as text';
  if (room === 0) return `is nested more than ${MAX_DEPTH} levels deep`;
  for (const [name, inner] of Object.entries(value as object)) {
    if (!name.isWellFormed() || isInherited(name))
      return 'has a member with a name that is reserved';
    const fault = faultOfValue(inner, room - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

interface Fault {
  path: string[];
  message: string;
}

/** Everything that is wrong with custom claims. */
export function faultsOfClaims(claims: Record<string, unknown>): Fault[] {
  const faults = Object.entries(claims).flatMap(([name, value]): Fault[] => {
    const path = [name];
    if (isRegistered(name)) return [{ path, message: 'is a registered name' }];
    if (!isCustomName(name))
      return [{ path, message: 'must start with a letter, then letters, digits and _.:/~-' }];
    const message = faultOfValue(value);
    return message === undefined ? [] : [{ path, message }];
  });
  // Last: what was refused so far may have no size.
  if (faults.length > 0) return faults;
  const size = new TextEncoder().encode(JSON.stringify(claims)).length;
  if (size <= MAX_CLAIMS_SIZE) return [];
  return [{ path: [], message: `must have at most ${MAX_CLAIMS_SIZE} bytes as JSON, not ${size}` }];
}

const Claims = z.record(z.string(), z.unknown());
const examples = [{ plan: 'pro', 'https://example.com/tenant': 42 }];

/** Custom claims as they are in the row. */
export const CustomClaims = Claims.meta({
  id: 'CustomClaims',
  description: 'Claims that an administrator added to the access tokens of this account.',
  examples,
});
export type CustomClaims = z.infer<typeof CustomClaims>;

/** Custom claims that are to be set. */
export const NewCustomClaims = Claims.superRefine((claims, { addIssue }) => {
  for (const fault of faultsOfClaims(claims)) addIssue({ code: 'custom', ...fault });
}).meta({
  id: 'NewCustomClaims',
  description:
    'Claims for the access tokens of this account, at most 256 bytes as JSON, nested at most three levels deep. They replace those that it has. Names that are registered for JWT or used by this service are refused.',
  examples,
});
