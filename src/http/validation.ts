import type { FastifySchemaCompiler } from 'fastify';
import type { z } from 'zod';
import { Refusal } from '../rules/refusal.ts';
import type { InputFault } from '../schemas/problem.ts';
import { pointer } from './body.ts';

const KINDS: Record<string, string> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
};

const UNITS: Record<string, string> = { string: ' characters', array: ' entries' };

const FORMATS: Record<string, string> = { email: 'an email address', uuid: 'a UUID' };

/** What a field must be, in the words of a form: zod's own messages speak of its types. A schema's own message wins. */
const messageOf: z.core.$ZodErrorMap = (issue) => {
  if (issue.input === undefined) return 'is required';
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${KINDS[issue.expected] ?? 'of another type'}`;
    case 'too_small':
      if (issue.minimum === 1 && issue.origin === 'string') return 'must not be empty';
      return `must be at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'too_big':
      return `must be at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'invalid_value':
      return `must be ${issue.values.join(' or ')}`;
    case 'invalid_format':
      return `must be ${FORMATS[issue.format] ?? 'in the form that the documentation shows'}`;
    case 'invalid_union':
      return 'is not valid';
    default:
      return undefined;
  }
};

/** One line for each fault, with its place; never the value that was sent. */
function faultsOf(issues: z.core.$ZodIssue[]): InputFault[] {
  const ofWrongType = new Set(
    issues.filter(({ code }) => code === 'invalid_type').map(({ path }) => pointer(path)),
  );
  // zod goes on to measure some values of a wrong type.
  const isMeasured = ({ code, path }: z.core.$ZodIssue) =>
    code === 'too_big' && ofWrongType.has(pointer(path));
  return issues
    .filter((issue) => !isMeasured(issue))
    .flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => ({
            path: pointer([...issue.path, key]),
            message: 'is not a known field',
          }))
        : [{ path: pointer(issue.path), message: issue.message }],
    );
}

const MAX_FAULTS = 10;

/** Checks each part of a request with its zod schema. The handler gets the parsed value. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> =
  ({ schema }) =>
  (input) => {
    // Fastify passes null where nothing was sent.
    const { success, data, error } = schema.safeParse(input ?? undefined, { error: messageOf });
    if (success) return { value: data };
    return {
      error: new Refusal('invalid_input', { errors: faultsOf(error.issues).slice(0, MAX_FAULTS) }),
    };
  };
